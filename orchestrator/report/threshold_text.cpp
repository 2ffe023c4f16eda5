#include "orchestrator/report/threshold_text.h"

#include <fmt/format.h>

#include "orchestrator/report/format.h"

namespace walstorm::report {

std::string observed_text(const measure::ThresholdResult& threshold) {
  if (!threshold.observed && !threshold.limit) return threshold.says;
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
