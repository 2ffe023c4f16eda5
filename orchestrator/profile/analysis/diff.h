#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/profile/analysis/modules.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// Below it two counts are called different: the chance of such a difference, or a greater one, between two
/// profiles of the same program.
inline constexpr double kDifferentBelow = 0.01;

/// How likely a split as uneven as `base` of `base_all` and `candidate` of `candidate_all` samples is, or one
/// more uneven, when both take the same share. The counts are taken for Poisson's; given their sum, one of
/// them is then binomial, which makes the test exact: J. Przyborowski, H. Wilenski, "Homogeneity of results
/// in testing samples from Poisson series", Biometrika 31 (1940). nullopt where there is nothing to count.
[[nodiscard]] std::optional<double> chance_of_split(std::uint64_t base, std::uint64_t base_all,
                                                    std::uint64_t candidate, std::uint64_t candidate_all);

struct DiffRow {
  std::string name;    ///< of a module or a function
  std::string object;  ///< of a function
  std::uint64_t base_samples = 0, candidate_samples = 0;
  double base_share = 0, candidate_share = 0;
  std::optional<double> chance;

  [[nodiscard]] double delta() const { return candidate_share - base_share; }
  [[nodiscard]] bool differs() const { return chance && *chance < kDifferentBelow; }
};

/// One target on both sides; on-CPU stacks alone.
struct TargetDiff {
  std::string target;
  std::uint64_t base_samples = 0, candidate_samples = 0;
  std::vector<DiffRow> modules, functions;  ///< the greatest change first
  std::string conclusion;
};

/// The targets that both sides have; at most `functions_max` functions each.
[[nodiscard]] std::vector<TargetDiff> diff(const Profile& base, const Profile& candidate,
                                           const Modules& modules, std::size_t functions_max);

/// What the "~" in its tables means.
[[nodiscard]] std::string diff_test_text();

}  // namespace walstorm::profile
