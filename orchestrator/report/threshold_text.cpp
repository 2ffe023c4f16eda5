#include "orchestrator/report/threshold_text.h"

#include <fmt/format.h>
#include <variant>

#include "orchestrator/config/expression.h"
#include "orchestrator/measure/figures/figures.h"
#include "orchestrator/text/format.h"

namespace walstorm::report {

namespace {

/// The figure that stands alone on the left, whose unit both sides then have; empty, which is no figure,
/// where there is more to it.
std::string lone_figure(const std::string& expr) {
  const auto parsed = config::parse_expression(expr);
  const auto* expression = std::get_if<config::Expression>(&parsed);
  if (expression == nullptr || expression->left.size() != 1) return "";
  const config::Expression::Step& step = expression->left.front();
  return step.operation == config::Expression::Operation::figure ? step.figure.path : "";
}

}  // namespace

bool is_measured(const measure::ThresholdResult& threshold) {
  return threshold.observed && threshold.limit;
}

std::string observed_text(const measure::ThresholdResult& threshold) {
  if (!is_measured(threshold)) return threshold.says;
  const auto shown = [path = lone_figure(threshold.expr)](const std::optional<double>& value) {
    return measure::figure_text(path, value);
  };
  std::string text = fmt::format("observed {}, limit {}", shown(threshold.observed), shown(threshold.limit));
  if (!threshold.says.empty()) text += "; " + threshold.says;
  return text;
}

std::string expression_text(const measure::ThresholdResult& threshold) {
  if (!threshold.window_sec) return threshold.expr;
  return fmt::format("{} over {:g} s", threshold.expr, *threshold.window_sec);
}

}  // namespace walstorm::report
