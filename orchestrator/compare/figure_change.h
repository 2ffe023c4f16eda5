#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compare/statistics.h"
#include "orchestrator/measure/figures/figures.h"

namespace walstorm::compare {

/// A difference less likely than this by chance counts as one.
inline constexpr double kSignificant = 0.05;

/// What a figure did from the base to the candidate.
enum class Said {
  better,
  worse,
  changed,  ///< beyond noise, and neither direction is the better one
  same,     ///< within noise
  untold,   ///< too few runs to tell, whatever the figures are
};

/// As compare.json has them.
[[nodiscard]] const char* to_string(Said said);

/// One figure of one phase; its samples are the runs of a side that measured it.
struct FigureChange {
  std::string path;
  measure::Better better = measure::Better::neither;
  std::optional<MedianInterval> base, candidate;  ///< nullopt where no run of the side measured it
  /// Of the median, as a share of the base's: 0.05 is 5 % more. Infinite from a base of 0; nullopt when a
  /// side has no sample.
  std::optional<double> change;
  std::optional<double> p;  ///< Mann-Whitney, two-sided
  bool all_equal = false;   ///< every run of both sides measured the same
  Said said = Said::untold;
};

/// Compares two samples of a figure.
[[nodiscard]] FigureChange change_of(const std::string& path, measure::Better better,
                                     const std::vector<double>& base, const std::vector<double>& candidate);

/// The least number of runs a side with which a difference can be told at all: 4.
[[nodiscard]] std::size_t runs_needed();

}  // namespace walstorm::compare
