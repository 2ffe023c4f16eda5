#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/sweep/grid.h"

namespace walstorm::sweep {

/// What one cell's repeats showed of one figure.
struct CellStat {
  std::size_t count = 0;
  /// Of an even number of runs halfway between the two in the middle, on the scale of the analysis: their
  /// geometric mean where all values are positive, so that the interval lies about it.
  std::optional<double> median;
  /// 95 % confidence interval; nullopt without two repeats of some cell.
  std::optional<double> low, high;
};

/// What one axis did to a figure, all other axes averaged out.
struct AxisEffect {
  /// By the axis's values: the mean over the cells that have it (geometric, where all values are positive),
  /// as it would be had every other setting been run with every value as often. nullopt for a value that was
  /// run with no setting that ties it to the others.
  std::vector<std::optional<double>> means;
  /// How likely a difference as large is where the axis has no effect (F test); nullopt where it cannot be
  /// told.
  std::optional<double> p;
};

/// A figure over all cells.
struct FigureAnalysis {
  /// Means and medians are those of the logarithms: all values are positive.
  bool logarithmic = true;
  std::vector<CellStat> cells;  ///< by cell
  /// The cell that is better than every other one beyond noise: 5 % for all those comparisons together.
  std::optional<std::size_t> best;
  /// The cell with the best median, and those that cannot be told from it.
  std::optional<std::size_t> leader;
  std::vector<std::size_t> as_good;
  std::vector<AxisEffect> axes;  ///< by axis
};

/// `samples`: by cell the values of its repeats, none where a run gave none.
///
/// A sweep has few repeats of many cells, so the noise is taken to be the same share of the value everywhere
/// and is estimated from all cells together: the pooled variance of the logarithms, or of the values
/// themselves where one is not positive. A cell's interval is its median times or divided by what Student's t
/// makes of that.
///
/// Runs may be missing, and whole cells: an axis is judged within blocks, the cells that differ in nothing
/// but it (the intra-block analysis of an incomplete block design), so that a cell that was run less often
/// does not lend the axis what other axes did.
[[nodiscard]] FigureAnalysis analyse(const std::vector<Axis>& axes, const std::vector<Cell>& cells,
                                     const std::vector<std::vector<double>>& samples, bool lower_is_better);

}  // namespace walstorm::sweep
