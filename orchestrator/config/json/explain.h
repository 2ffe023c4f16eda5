#pragma once

#include <vector>

#include "orchestrator/config/json/problem.h"
#include "orchestrator/config/json/schema_check.h"

namespace walstorm::config {

/// Says in plain words, from the schema's node at each pointer, what the validator found wrong: what the
/// value must be, which keys are unknown (and what may have been meant), which are missing. A violation that
/// has no reason of its own and none below it keeps the validator's words; none is dropped.
[[nodiscard]] std::vector<Problem> explain(const std::vector<Violation>& violations, const Json& document);

}  // namespace walstorm::config
