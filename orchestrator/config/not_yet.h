#pragma once

#include <vector>

#include "orchestrator/config/json/problem.h"

namespace walstorm::config {

/// One problem for each key whose feature this version does not have and that is set to something else than
/// what it does have: a key must never be taken and ignored. `document` is complete (defaults filled in).
[[nodiscard]] std::vector<Problem> not_yet_problems(const Json& document);

}  // namespace walstorm::config
