#include "orchestrator/sweep/analysis.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "orchestrator/measure/figures/median.h"
#include "orchestrator/sweep/block_effects.h"

namespace walstorm::sweep {
namespace {

constexpr double kAlpha = 0.05;
/// How much wider a median of many normal values scatters than their mean: the square root of pi/2. Of two it
/// is the mean.
constexpr double kMedianSpread = 1.2533;

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// The samples on the scale on which their noise is alike.
class Scale final {
 public:
  explicit Scale(const std::vector<std::vector<double>>& samples) {
    for (const auto& cell : samples) {
      for (const double value : cell) logarithmic_ = logarithmic_ && value > 0;
    }
  }
  [[nodiscard]] bool logarithmic() const { return logarithmic_; }
  [[nodiscard]] double to(double value) const { return logarithmic_ ? std::log(value) : value; }
  [[nodiscard]] double from(double scaled) const { return logarithmic_ ? std::exp(scaled) : scaled; }
  [[nodiscard]] std::vector<std::vector<double>> to(std::vector<std::vector<double>> samples) const {
    for (auto& cell : samples) {
      for (double& value : cell) value = to(value);
    }
    return samples;
  }

 private:
  bool logarithmic_ = true;
};

/// The noise of a single run, from the differences between repeats of one cell.
struct Noise {
  double variance = 0;
  double freedom = 0;

  explicit Noise(const std::vector<std::vector<double>>& samples) {
    double squares = 0;
    for (const auto& cell : samples) {
      if (cell.empty()) continue;
      const double mean = mean_of(cell);
      for (const double value : cell) squares += (value - mean) * (value - mean);
      freedom += static_cast<double>(cell.size()) - 1;
    }
    if (freedom > 0) variance = squares / freedom;
  }
  [[nodiscard]] bool known() const { return freedom > 0; }
  /// Student's t that is exceeded, in either direction, with probability `alpha`.
  [[nodiscard]] double t(double alpha) const {
    return boost::math::quantile(boost::math::complement(boost::math::students_t(freedom), alpha / 2));
  }
};

std::vector<CellStat> cell_stats(const std::vector<std::vector<double>>& samples, const Scale& scale,
                                 const Noise& noise) {
  std::vector<CellStat> stats;
  for (const auto& cell : samples) {
    CellStat& stat = stats.emplace_back();
    stat.count = cell.size();
    if (cell.empty()) continue;
    const double median = measure::median_of(cell);
    stat.median = scale.from(median);
    if (!noise.known()) continue;
    const double spread = cell.size() > 2 ? kMedianSpread : 1;
    const double half =
        noise.t(kAlpha) * spread * std::sqrt(noise.variance / static_cast<double>(cell.size()));
    stat.low = scale.from(median - half);
    stat.high = scale.from(median + half);
  }
  return stats;
}

void find_best(const std::vector<std::vector<double>>& samples, const Noise& noise, bool lower_is_better,
               FigureAnalysis& analysis) {
  std::vector<std::size_t> measured;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!samples[i].empty()) measured.push_back(i);
  }
  if (measured.empty()) return;
  const auto better = [&](std::size_t one, std::size_t other) {
    const double left = *analysis.cells[one].median;
    const double right = *analysis.cells[other].median;
    return lower_is_better ? left < right : left > right;
  };
  const std::size_t leader = *std::min_element(measured.begin(), measured.end(), better);
  analysis.leader = leader;
  const std::size_t others = measured.size() - 1;
  for (const std::size_t other : measured) {
    if (other == leader) continue;
    // Signed: an outlier can make the mean of the cell with the best median the worse one.
    const double greater = mean_of(samples[leader]) - mean_of(samples[other]);
    const double distance = lower_is_better ? -greater : greater;
    const double spread =
        1 / static_cast<double>(samples[leader].size()) + 1 / static_cast<double>(samples[other].size());
    const bool apart = noise.known() && distance > noise.t(kAlpha / static_cast<double>(others)) *
                                                       std::sqrt(noise.variance * spread);
    if (!apart) analysis.as_good.push_back(other);
  }
  if (others > 0 && analysis.as_good.empty()) analysis.best = leader;
}

/// The cells that have a value of that axis, by their other settings.
std::vector<Block> blocks_of(std::size_t axis, const std::vector<Cell>& cells,
                             const std::vector<std::vector<double>>& samples) {
  std::map<Cell, Block> blocks;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i][axis] || samples[i].empty()) continue;
    Cell others = cells[i];
    others[axis].reset();
    blocks[others].push_back({*cells[i][axis], mean_of(samples[i]), static_cast<double>(samples[i].size())});
  }
  std::vector<Block> found;
  for (auto& [others, block] : blocks) found.push_back(std::move(block));
  return found;
}

AxisEffect axis_effect(const Axis& axis, std::size_t number, const std::vector<Cell>& cells,
                       const std::vector<std::vector<double>>& samples, const Scale& scale,
                       const Noise& noise) {
  const BlockEffects found = block_effects(axis.values.size(), blocks_of(number, cells, samples));
  AxisEffect effect;
  for (const auto& mean : found.means)
    effect.means.push_back(mean ? std::optional(scale.from(*mean)) : std::nullopt);
  if (found.freedom <= 0 || !noise.known() || noise.variance <= 0) return effect;
  const double f = found.squares / found.freedom / noise.variance;
  effect.p =
      boost::math::cdf(boost::math::complement(boost::math::fisher_f(found.freedom, noise.freedom), f));
  return effect;
}

}  // namespace

FigureAnalysis analyse(const std::vector<Axis>& axes, const std::vector<Cell>& cells,
                       const std::vector<std::vector<double>>& samples, bool lower_is_better) {
  const Scale scale(samples);
  const auto scaled = scale.to(samples);
  const Noise noise(scaled);
  FigureAnalysis analysis;
  analysis.logarithmic = scale.logarithmic();
  analysis.cells = cell_stats(scaled, scale, noise);
  find_best(scaled, noise, lower_is_better, analysis);
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    analysis.axes.push_back(axis_effect(axes[axis], axis, cells, scaled, scale, noise));
  }
  return analysis;
}

}  // namespace walstorm::sweep
