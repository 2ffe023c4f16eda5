#pragma once

#include <string>
#include <string_view>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// The JSON that a Pyroscope server's /render answers: "flamebearer" with its names and its levels, each a
/// row of [offset from the end of the bar before, total, self, name]; "metadata" names unit and rate. Stacks
/// are of the target `target`. Throws Error{data} for what is none, and for one that compares two profiles.
[[nodiscard]] Profile read_flamebearer(std::string_view json, const std::string& target);

}  // namespace walstorm::profile
