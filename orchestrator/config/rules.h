#pragma once

#include <vector>

#include "orchestrator/config/json/problem.h"

namespace walstorm::config {

/// What a schema cannot say: rules between keys, and names that belong to the server. `document` is complete;
/// a rule is skipped when one of the values it needs is missing or is among `found` already, so one mistake
/// is told once.
[[nodiscard]] std::vector<Problem> rule_problems(const Json& document, const std::vector<Problem>& found);

}  // namespace walstorm::config
