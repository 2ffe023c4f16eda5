#pragma once

#include <string>
#include <vector>

#include "orchestrator/profile/analysis/analysis.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// A sentence for each program or library in which much of a target's CPU time is and whose functions have no
/// names here.
[[nodiscard]] std::vector<std::string> missing_names(const Profile& profile);

/// A sentence for each target of which many stacks are broken: in which programs or libraries, and why.
[[nodiscard]] std::vector<std::string> broken_stacks(const std::vector<TargetAnalysis>& targets);

}  // namespace walstorm::profile
