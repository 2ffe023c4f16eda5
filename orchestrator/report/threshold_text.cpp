#include "orchestrator/report/threshold_text.h"

#include <fmt/format.h>

#include "orchestrator/report/format.h"

namespace walstorm::report {

bool is_measured(const measure::ThresholdResult& threshold) {
  return threshold.observed && threshold.limit;
}

std::string observed_text(const measure::ThresholdResult& threshold) {
  if (!is_measured(threshold)) return threshold.says;
  std::string text =
      fmt::format("observed {}, limit {}", number_text(threshold.observed), number_text(threshold.limit));
  if (!threshold.says.empty()) text += "; " + threshold.says;
  return text;
}

std::string expression_text(const measure::ThresholdResult& threshold) {
  if (!threshold.window_sec) return threshold.expr;
  return fmt::format("{} over {:g} s", threshold.expr, *threshold.window_sec);
}

}  // namespace walstorm::report
