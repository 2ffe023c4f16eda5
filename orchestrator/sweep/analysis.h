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
  std::optional<double> median;
  /// 95 % confidence interval; nullopt without two repeats of some cell.
  std::optional<double> low, high;
};

/// What one axis did to a figure, all other axes averaged out.
struct AxisEffect {
  /// By the axis's values: the mean over the cells that have it (geometric, where all values are positive).
  std::vector<std::optional<double>> means;
  /// How likely a difference as large is where the axis has no effect (F test); nullopt where it cannot be
  /// told.
  std::optional<double> p;
};

/// A figure over all cells.
struct FigureAnalysis {
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
[[nodiscard]] FigureAnalysis analyse(const std::vector<Axis>& axes, const std::vector<Cell>& cells,
                                     const std::vector<std::vector<double>>& samples, bool lower_is_better);

}  // namespace walstorm::sweep
