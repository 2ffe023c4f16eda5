#include "orchestrator/profile/profile_folder.h"

#include <cctype>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <system_error>

#include <nlohmann/json.hpp>

#include "orchestrator/profile/show/flame_page.h"
#include "orchestrator/profile/stacks/folded.h"
#include "orchestrator/profile/stacks/speedscope.h"
#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

namespace fs = std::filesystem;
using wire::Error;
using wire::ErrorKind;

constexpr std::uintmax_t kFileBytesMax = 1U << 30U;

void write_stacks(const fs::path& folder, const std::string& stem, const Profile& profile,
                  const Taken& taken) {
  write_file(folder / (stem + ".folded"), folded_text(profile, Kind::on_cpu));
  if (profile.has(Kind::off_cpu))
    write_file(folder / (stem + ".off-cpu.folded"), folded_text(profile, Kind::off_cpu));
  write_file(folder / (stem + ".speedscope.json"), speedscope_json(profile, stem));
  write_file(folder / (stem + ".pb.gz"), pprof_file(profile, taken));
}

/// All phases: from the first one's beginning, as long as they took together.
Taken together(const std::map<std::string, Taken>& taken) {
  Taken all;
  for (const auto& [phase, each] : taken) {
    if (all.at_unix_us == 0 || each.at_unix_us < all.at_unix_us) all.at_unix_us = each.at_unix_us;
    all.duration_sec += each.duration_sec;
    all.frequency_hz = each.frequency_hz;
  }
  return all;
}

}  // namespace

void write_profile_folder(const fs::path& folder, const std::string& run_name, const Profile& profile,
                          const ProfileReport& report, const Modules& modules,
                          const std::map<std::string, Taken>& taken) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    throw Error(ErrorKind::unavailable, fmt::format("make {}: {}", folder.string(), failed.message()));
  using Json = nlohmann::ordered_json;
  write_file(folder / "profile.json",
             to_json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (profile.empty()) return;
  std::map<std::string, std::string> says;
  for (const TargetAnalysis& target : report.all) {
    says[target.target] = target.conclusion;
    const bool said = target.conclusion.find(broken_text(target)) != std::string::npos;
    if (target.samples > 0 && !said) says[target.target] += fmt::format(" ({})", broken_text(target));
  }
  says[kEveryTarget] = how_text(report) + ".";
  write_file(folder / "flame.html", flame_page(profile, modules, run_name + ": flame graph", says));
  write_stacks(folder, kAllPhases, profile, together(taken));
  for (const std::string& phase : profile.phases()) {
    const auto found = taken.find(phase);
    write_stacks(folder, file_stem(phase), profile.of_phase(phase),
                 found == taken.end() ? Taken{} : found->second);
  }
}

std::string file_stem(const std::string& phase) {
  std::string stem;
  for (const char c : phase) {
    const bool fine = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    stem += fine ? c : '_';
  }
  return stem.empty() || stem == kAllPhases || stem.front() == '.' ? "phase-" + stem : stem;
}

void write_file(const fs::path& file, const std::string& bytes) {
  const fs::path part = file.string() + ".part";
  std::ofstream out(part, std::ios::binary);
  out << bytes;
  out.close();
  std::error_code failed;
  if (out) fs::rename(part, file, failed);
  if (out && !failed) return;
  std::error_code ignored;
  fs::remove(part, ignored);
  throw Error(ErrorKind::unavailable, fmt::format("write {}: {}", file.string(),
                                                  failed ? failed.message() : "it could not be written to"));
}

std::optional<Profile> read_stacks(const fs::path& run_folder) {
  const fs::path file = run_folder / kProfileFolder / (std::string(kAllPhases) + ".pb.gz");
  std::error_code unknown;
  if (!fs::exists(file, unknown)) return std::nullopt;
  return read_pprof(read_file(file), "");
}

std::string read_section(const fs::path& run_folder) {
  const fs::path file = run_folder / kProfileFolder / kSectionFile;
  std::error_code unknown;
  return fs::exists(file, unknown) ? read_file(file) : "";
}

std::string read_file(const fs::path& file) {
  std::error_code missing;
  const auto size = fs::file_size(file, missing);
  if (missing) throw Error(ErrorKind::config, fmt::format("read {}: {}", file.string(), missing.message()));
  if (size > kFileBytesMax)
    throw Error(ErrorKind::config, fmt::format("read {}: it is too large for a profile", file.string()));
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw Error(ErrorKind::config, fmt::format("read {}: it cannot be read", file.string()));
  return text.str();
}

}  // namespace walstorm::profile
