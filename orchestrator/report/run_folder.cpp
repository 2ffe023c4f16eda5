#include "orchestrator/report/run_folder.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <system_error>

#include "orchestrator/config/json/secrets.h"
#include "orchestrator/text/format.h"
#include "proto/wire/error.h"

namespace walstorm::report {
namespace {

namespace fs = std::filesystem;

/// More runs than this in one second are no collision but a loop.
constexpr int kSuffixMax = 1000;

std::string file_name_of(std::string_view name) {
  std::string safe(name);
  std::replace_if(
      safe.begin(), safe.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '_'; }, '_');
  if (safe.empty() || safe.front() == '.') safe.insert(safe.begin(), '_');
  return safe;
}

/// "2026-01-31T12-00-00Z": ISO 8601 without the colons that some file systems refuse.
std::string time_of(std::int64_t unix_us) {
  std::string time = text::iso_time(unix_us).substr(0, 19);
  std::replace(time.begin(), time.end(), ':', '-');
  return time + "Z";
}

[[noreturn]] void fail(std::string_view what, const fs::path& path, const std::string& reason) {
  throw wire::Error(wire::ErrorKind::unavailable, fmt::format("{} {}: {}; choose another place with --output",
                                                              what, path.string(), reason));
}

}  // namespace

RunFolder::RunFolder(const fs::path& output, std::string_view name, std::int64_t started_unix_us) {
  std::error_code error;
  fs::create_directories(output, error);
  if (error) fail("create folder", output, error.message());
  const std::string base = fmt::format("{}-{}", file_name_of(name), time_of(started_unix_us));
  for (int attempt = 1; attempt <= kSuffixMax; ++attempt) {
    path_ = output / (attempt == 1 ? base : fmt::format("{}-{}", base, attempt));
    // False without an error: it was there already, so it is another run's.
    const bool created = fs::create_directory(path_, error);
    if (error && error != std::errc::file_exists) fail("create folder", path_, error.message());
    if (!created) continue;
    fs::create_directory(logs(), error);
    if (error) fail("create folder", logs(), error.message());
    return;
  }
  fail("create folder", path_, "that name and all its suffixes are taken");
}

RunFolder RunFolder::open(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error))
    throw wire::Error(wire::ErrorKind::config, fmt::format("{}: there is no such folder", path.string()));
  return RunFolder(path);
}

void RunFolder::write(const std::string& file_name, const std::string& whole) const {
  const std::string text = config::hide_secrets(whole);
  const fs::path target = path_ / file_name;
  const fs::path temporary = path_ / ("." + file_name + ".tmp");
  errno = 0;
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  std::error_code error;
  if (!out) {
    const std::string why = std::strerror(errno);
    fs::remove(temporary, error);  // on a full disk the next file may fit
    fail("write", target, why);
  }
  fs::rename(temporary, target, error);
  if (error) fail("write", target, error.message());
}

}  // namespace walstorm::report
