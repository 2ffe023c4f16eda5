#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/config/expression.h"
#include "orchestrator/config/figure_names.h"
#include "orchestrator/config/json/problem.h"

namespace walstorm::config {

/// Whether `threshold`, whose parsed text is `expression`, judges phases[index]: the phase that it names, or
/// every one after the phases that the expression refers to. Warm-ups are never judged.
[[nodiscard]] bool judges(const Threshold& threshold, const Expression& expression,
                          const std::vector<Phase>& phases, std::size_t index);

/// The expression of a threshold that has passed every check. Throws Error{internal} for another.
[[nodiscard]] Expression expression_of(const Threshold& threshold);

[[nodiscard]] Threshold threshold_from(const Json& threshold);
/// The text alone where there is nothing but it.
[[nodiscard]] Json to_json(const Threshold& threshold);

/// What is wrong with the thresholds of a complete document: their text, the figures and phases that they
/// name, and what these cannot be asked for. Skipped is what is among `found`, as in rule_problems.
[[nodiscard]] std::vector<Problem> threshold_problems(const Json& document, const std::vector<Problem>& found,
                                                      const FigureNames& names);

/// For --dry-run: a line for each threshold with the phases that it judges; empty where there is none.
[[nodiscard]] std::string thresholds_text(const Config& config);

}  // namespace walstorm::config
