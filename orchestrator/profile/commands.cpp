#include "orchestrator/profile/commands.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/analysis/diff.h"
#include "orchestrator/profile/profile_folder.h"
#include "orchestrator/profile/push/http_exchange.h"
#include "orchestrator/profile/record/recorder.h"
#include "orchestrator/profile/show/diff_text.h"
#include "orchestrator/profile/show/flame_page.h"
#include "orchestrator/profile/show/missing_names.h"
#include "orchestrator/profile/show/profile_report.h"
#include "orchestrator/profile/stacks/flamebearer.h"
#include "orchestrator/profile/stacks/folded.h"
#include "orchestrator/profile/stacks/gzip.h"
#include "orchestrator/profile/stacks/pprof.h"
#include "orchestrator/report/run_folder.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

namespace fs = std::filesystem;
using wire::Error;
using wire::ErrorKind;

constexpr std::string_view kPerfMagic =
    "PERFILE2";  // linux/tools/perf/Documentation/perf.data-file-format.txt
constexpr double kUnknownFrequency = 0;
constexpr std::size_t kNamesLookedAt = 512;

bool is_url(const std::string& source) {
  return source.find("://") != std::string::npos;
}

Profile fetched(const std::string& url) {
  HttpRequest request;
  request.url = url;
  const HttpAnswer answer = http_exchange(request);
  if (answer.status != 200)
    throw Error(ErrorKind::unavailable, fmt::format("{}: {}", shown_url(url), refusal_text(answer)));
  return read_flamebearer(answer.body, "all");
}

Profile of_perf_data(process::EventLoop& loop, const fs::path& file) {
  const std::string perf = program_in_path("perf");
  if (perf.empty())
    throw Error(ErrorKind::unavailable,
                "a perf.data is read by perf, which is not installed: apt-get install linux-perf");
  return read_perf_data(loop, perf, file, "", kUnknownFrequency,
                        [](pid_t, const std::string& comm) { return std::optional(comm); })
      .profile;
}

/// A protobuf message holds bytes that no text does.
bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), kNamesLookedAt)),
                      [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\r' && c != '\t'; });
}

Profile of_file(process::EventLoop& loop, const fs::path& file) {
  const std::string bytes = read_file(file);
  const std::string target = file.stem().string();
  if (bytes.starts_with(kPerfMagic)) return of_perf_data(loop, file);
  if (is_gzip(bytes) || !is_text(bytes)) return read_pprof(bytes, target);
  const auto first = bytes.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && bytes[first] == '{') return read_flamebearer(bytes, target);
  std::istringstream in(bytes);
  FoldedRead read = read_folded(in, target);
  if (read.profile.empty())
    throw Error(ErrorKind::config,
                file.string() +
                    " is no profile that is known here: a perf.data, folded stacks, a pprof file, or "
                    "Pyroscope's JSON");
  return std::move(read.profile);
}

fs::path file_in_folder(const fs::path& folder) {
  const std::string name = std::string(kAllPhases) + ".pb.gz";
  for (const fs::path& candidate : {folder / kProfileFolder / name, folder / name}) {
    std::error_code unknown;
    if (fs::exists(candidate, unknown)) return candidate;
  }
  throw Error(
      ErrorKind::config,
      fmt::format("{} holds no profile: the run was not started with --profile flame", folder.string()));
}

}  // namespace

Profile load_profile(process::EventLoop& loop, const std::string& source) {
  try {
    if (is_url(source)) return fetched(source);
    std::error_code unknown;
    if (!fs::exists(source, unknown)) throw Error(ErrorKind::config, "there is no " + source);
    return of_file(loop, fs::is_directory(source, unknown) ? file_in_folder(source) : fs::path(source));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data) throw;
    throw Error(ErrorKind::config,
                fmt::format("{}: {}", is_url(source) ? shown_url(source) : source, error.what()));
  }
}

std::string profile_command(process::EventLoop& loop, const std::string& source, std::size_t functions_max) {
  const Profile profile = load_profile(loop, source);
  ProfileReport report;
  report.how.by = source;
  report.all = analyse(profile.of_phase(std::nullopt), Modules(), functions_max, report.limits);
  report.notes = missing_names(profile);
  for (std::string& each : broken_stacks(report.all)) report.notes.push_back(std::move(each));
  return profile_text(report);
}

std::string profile_diff_command(process::EventLoop& loop, const std::string& base_source,
                                 const std::string& candidate_source, std::size_t functions_max,
                                 const fs::path& output_dir) {
  const Modules modules;
  const Profile base = load_profile(loop, base_source).of_phase(std::nullopt);
  const Profile candidate = load_profile(loop, candidate_source).of_phase(std::nullopt);
  const auto diffs = diff(base, candidate, modules, functions_max);
  std::map<std::string, std::string> says;
  for (const TargetDiff& each : diffs) says[each.target] = each.conclusion;
  const report::RunFolder folder(output_dir, "profile-diff", wire::SystemClock().unix_us());
  write_file(folder.path() / "profile-diff.json", diff_json(diffs).dump(2) + "\n");
  write_file(folder.path() / "flame.html", flame_page(candidate, modules, "profile-diff", says, &base));
  return diff_text(diffs) + fmt::format("flame graph: {}/flame.html\n", folder.path().string());
}

}  // namespace walstorm::profile
