#include "orchestrator/measure/judge/threshold.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "orchestrator/measure/figures/figures.h"

namespace walstorm::measure {
namespace {

using Comparison = config::Expression::Comparison;

std::optional<double> look_up(const config::Expression::Figure& figure, const PhaseReport& phase,
                              const std::vector<PhaseReport>& earlier) {
  if (figure.phase.empty()) return figure_of(phase, figure.path);
  const auto named = std::find_if(earlier.begin(), earlier.end(),
                                  [&](const PhaseReport& report) { return report.name == figure.phase; });
  return named == earlier.end() ? std::nullopt : figure_of(*named, figure.path);
}

/// Why an expression whose figures are all known has no value.
std::string no_number_text(const config::Expression& expression) {
  const auto divides = [](const config::Expression::Sum& sum) {
    return std::any_of(sum.begin(), sum.end(), [](const config::Expression::Step& step) {
      return step.operation == config::Expression::Operation::divide;
    });
  };
  return divides(expression.left) || divides(expression.right) ? "a division by 0"
                                                               : "a number too great to be had";
}

/// How far a measured judgement is on the wrong side of its limit; negative on the right one.
double excess(Comparison comparison, const Judgement& judgement) {
  const double above = *judgement.observed - *judgement.limit;
  switch (comparison) {
    case Comparison::less:
    case Comparison::at_most:
      return above;
    case Comparison::greater:
    case Comparison::at_least:
      return -above;
    case Comparison::equal:
      return std::abs(above);
    case Comparison::unequal:
      return -std::abs(above);
  }
  return above;
}

}  // namespace

Judgement judge(const config::Expression& expression, const PhaseReport& phase,
                const std::vector<PhaseReport>& earlier) {
  std::vector<std::string> missing;
  const auto figure = [&](const config::Expression::Figure& wanted) {
    const auto value = look_up(wanted, phase, earlier);
    const bool is_new = std::find(missing.begin(), missing.end(), wanted.text()) == missing.end();
    if (!value && is_new) missing.push_back(wanted.text());
    return value;
  };
  Judgement judgement;
  judgement.observed = value_of(expression.left, figure);
  judgement.limit = value_of(expression.right, figure);
  if (judgement.measured()) {
    judgement.passed = holds(expression.comparison, *judgement.observed, *judgement.limit);
  } else {
    judgement.unmeasured =
        missing.empty() ? no_number_text(expression) : fmt::format("{}", fmt::join(missing, ", "));
  }
  return judgement;
}

bool is_worse(const config::Expression& expression, const Judgement& a, const Judgement& b) {
  return excess(expression.comparison, a) > excess(expression.comparison, b);
}

bool thresholds_hold(const RunReport& report) {
  return std::all_of(report.phases.begin(), report.phases.end(), [](const PhaseReport& phase) {
    return std::all_of(phase.thresholds.begin(), phase.thresholds.end(),
                       [](const ThresholdResult& result) { return result.passed; });
  });
}

}  // namespace walstorm::measure
