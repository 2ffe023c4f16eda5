#include "orchestrator/config/thresholds.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <variant>

#include "orchestrator/config/json/json_text.h"
#include "proto/wire/error.h"

namespace walstorm::config {
namespace {

std::size_t index_of(const std::vector<Phase>& phases, const std::string& name) {
  const auto at =
      std::find_if(phases.begin(), phases.end(), [&](const Phase& phase) { return phase.name == name; });
  return static_cast<std::size_t>(at - phases.begin());
}

std::string qualities(const Threshold& threshold) {
  std::string text;
  if (threshold.window_sec) text += fmt::format("; any {} s of it", *threshold.window_sec);
  if (threshold.abort_on_fail) {
    text += "; ends the run when it is crossed";
    if (threshold.delay_abort_sec > 0) text += fmt::format(" after {:g} s", threshold.delay_abort_sec);
  }
  return text;
}

}  // namespace

bool judges(const Threshold& threshold, const Expression& expression, const std::vector<Phase>& phases,
            std::size_t index) {
  if (phases.at(index).warmup) return false;
  if (threshold.phase && *threshold.phase != phases[index].name) return false;
  const auto figures = expression.figures();
  return std::all_of(figures.begin(), figures.end(), [&](const Expression::Figure& figure) {
    return figure.phase.empty() || index_of(phases, figure.phase) < index;
  });
}

Expression expression_of(const Threshold& threshold) {
  auto parsed = parse_expression(threshold.expr);
  if (auto* expression = std::get_if<Expression>(&parsed)) return std::move(*expression);
  throw wire::Error(wire::ErrorKind::internal,
                    fmt::format("the threshold \"{}\" was not checked", threshold.expr));
}

Threshold threshold_from(const Json& threshold) {
  Threshold result;
  if (threshold.is_string()) {
    result.expr = threshold;
    return result;
  }
  result.expr = threshold["expr"];
  if (threshold.contains("phase")) result.phase = threshold["phase"].get<std::string>();
  if (threshold.contains("windowSec")) result.window_sec = threshold["windowSec"].get<std::uint32_t>();
  result.abort_on_fail = threshold["abortOnFail"];
  result.delay_abort_sec = threshold["delayAbortSec"];
  return result;
}

Json to_json(const Threshold& threshold) {
  Json result{{"expr", threshold.expr},
              {"abortOnFail", threshold.abort_on_fail},
              {"delayAbortSec", number_json(threshold.delay_abort_sec)}};
  if (threshold.phase) result["phase"] = *threshold.phase;
  if (threshold.window_sec) result["windowSec"] = *threshold.window_sec;
  const bool is_plain = !threshold.phase && !threshold.window_sec && !threshold.abort_on_fail;
  return is_plain ? Json(threshold.expr) : result;
}

std::string thresholds_text(const Config& config) {
  std::string text;
  for (const Threshold& threshold : config.thresholds) {
    const Expression expression = expression_of(threshold);
    std::string where;
    for (std::size_t i = 0; i < config.phases.size(); ++i) {
      if (!judges(threshold, expression, config.phases, i)) continue;
      where += (where.empty() ? "" : ", ") + config.phases[i].name;
    }
    text += fmt::format("    {}\n        in {}{}\n", threshold.expr, where, qualities(threshold));
  }
  return text.empty() ? text : "  thresholds\n" + text;
}

}  // namespace walstorm::config
