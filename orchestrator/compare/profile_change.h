#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compare/differences.h"
#include "orchestrator/profile/analysis/diff.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::compare {

/// The page of compare's folder that shows how the CPU time changed.
inline constexpr const char* kFlameFile = "flame.html";

/// Where the CPU time goes on both sides: the stacks of each side's profiled runs, added up.
struct ProfileChange {
  std::size_t base_runs = 0, candidate_runs = 0;  ///< that were profiled, in the order of their side
  profile::Profile base, candidate;
  std::vector<profile::TargetDiff> targets;
  std::vector<std::string> notes;  ///< runs that have none, or one that cannot be read
};

/// nullopt where either side has no profile. `functions_max` of each target.
[[nodiscard]] std::optional<ProfileChange> compare_profiles(const Runs& base, const Runs& candidate,
                                                            std::size_t functions_max);

/// A page that shows the difference. `title` names it.
[[nodiscard]] std::string profile_page(const ProfileChange& change, const std::string& title);

}  // namespace walstorm::compare
