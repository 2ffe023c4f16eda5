#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace walstorm::compare {

/// Of a handful of runs' figures: the middle one, and where the median of all such runs lies.
struct MedianInterval {
  std::size_t count = 0;
  double median = 0;
  /// The 95 % confidence interval by order statistics, which assumes nothing of the distribution; nullopt
  /// below 6 values, which cannot give that confidence whatever they are.
  std::optional<double> low, high;
};

/// nullopt of no values.
[[nodiscard]] std::optional<MedianInterval> median_interval(std::vector<double> values);

/// Two-sided p of the Mann-Whitney U test: how likely two samples of one distribution differ as much in rank
/// as these. Exact, ties included, up to 50 values in all; beyond that by the normal approximation with
/// corrections for ties and continuity. nullopt when a side is empty.
[[nodiscard]] std::optional<double> mann_whitney_p(const std::vector<double>& one,
                                                   const std::vector<double>& other);

/// The least p that samples of these sizes can give: when it is above the level asked for, no difference,
/// however large, can be told.
[[nodiscard]] double least_p(std::size_t one, std::size_t other);

}  // namespace walstorm::compare
