#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "orchestrator/profile/show/profile_report.h"
#include "orchestrator/profile/stacks/pprof.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// The folder below a run's that holds its profile, and the file in it that holds all of it.
inline constexpr const char* kProfileFolder = "profile";
inline constexpr const char* kAllPhases = "all";
inline constexpr const char* kSectionFile = "profile.md";

/// Writes flame.html, profile.json, and for each phase and "all": .folded, .off-cpu.folded where waits are
/// known, .speedscope.json and .pb.gz. `taken`: when each phase was recorded. Throws Error{unavailable}.
void write_profile_folder(const std::filesystem::path& folder, const std::string& run_name,
                          const Profile& profile, const ProfileReport& report, const Modules& modules,
                          const std::map<std::string, Taken>& taken);

/// A phase's name as its files have it: what does not suit a file name is '_'. "all" is every phase's.
[[nodiscard]] std::string file_stem(const std::string& phase);

/// Writes the file at once, as it is. Throws Error{unavailable}.
void write_file(const std::filesystem::path& file, const std::string& bytes);

/// The stacks of a run's judged phases; nullopt where there are none. Throws Error{config} for a file that
/// cannot be read, Error{data} for one that is damaged.
[[nodiscard]] std::optional<Profile> read_stacks(const std::filesystem::path& run_folder);

/// What report.md has of a run's profile: kept in profile/profile.md, so that it can be written again. Empty
/// where there is none.
[[nodiscard]] std::string read_section(const std::filesystem::path& run_folder);

/// The whole file. Throws Error{config} when it cannot be read, or is larger than a profile can be.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace walstorm::profile
