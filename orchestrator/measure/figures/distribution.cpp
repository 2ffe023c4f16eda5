#include <algorithm>
#include <cmath>
#include <numeric>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

Distribution distribution_of(const wire::Histogram& histogram, double scale) {
  const auto scaled = [scale](std::optional<double> value) {
    return value ? std::optional(*value * scale) : std::nullopt;
  };
  const auto percentile = [&](double percent) { return scaled(histogram.percentile(percent)); };
  return Distribution{.count = histogram.count(),
                      .min = scaled(histogram.min()),
                      .mean = scaled(histogram.mean()),
                      .stddev = scaled(histogram.stddev()),
                      .p2_5 = percentile(2.5),
                      .p50 = percentile(50),
                      .p90 = percentile(90),
                      .p95 = percentile(95),
                      .p97_5 = percentile(97.5),
                      .p99 = percentile(99),
                      .p999 = percentile(99.9),
                      .max = scaled(histogram.max())};
}

Distribution distribution_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  // Nearest rank, as wire::Histogram has it.
  const auto percentile = [&](double percent) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(percent / 100 * n)));
    return values[rank - 1];
  };
  return Distribution{.count = values.size(),
                      .min = values.front(),
                      .mean = mean,
                      .stddev = std::sqrt(squares / n),
                      .p2_5 = percentile(2.5),
                      .p50 = percentile(50),
                      .p90 = percentile(90),
                      .p95 = percentile(95),
                      .p97_5 = percentile(97.5),
                      .p99 = percentile(99),
                      .p999 = percentile(99.9),
                      .max = values.back()};
}

}  // namespace walstorm::measure
