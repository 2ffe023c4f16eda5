#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// A profile that is there already: a run folder or its profile/, a perf.data, folded stacks, a pprof file,
/// or the URL at which a Pyroscope server renders one as JSON. Throws Error{config} that says what it
/// is not, Error{unavailable} when a server or perf does not answer. Turns the loop.
[[nodiscard]] Profile load_profile(process::EventLoop& loop, const std::string& source);

/// `walstorm profile SOURCE`: the tables of it. Returns what is to be printed.
[[nodiscard]] std::string profile_command(process::EventLoop& loop, const std::string& source,
                                          std::size_t functions_max);

/// `walstorm profile-diff BASE CANDIDATE`: what changed; leaves a folder with profile-diff.json and a
/// differential flame.html below `output_dir`. Returns what is to be printed.
[[nodiscard]] std::string profile_diff_command(process::EventLoop& loop, const std::string& base,
                                               const std::string& candidate, std::size_t functions_max,
                                               const std::filesystem::path& output_dir);

}  // namespace walstorm::profile
