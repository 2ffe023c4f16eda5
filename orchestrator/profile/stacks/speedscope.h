#pragma once

#include <string>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// A file for speedscope (https://www.speedscope.app/file-format-schema.json): a sampled profile for each
/// target, on-CPU and off-CPU apart, weighed in nanoseconds, or in samples where no time is known.
[[nodiscard]] std::string speedscope_json(const Profile& profile, const std::string& name);

}  // namespace walstorm::profile
