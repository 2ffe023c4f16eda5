#pragma once

#include <nlohmann/json.hpp>

#include "orchestrator/report/named.h"
#include "orchestrator/trial/trial.h"

namespace walstorm::report {

/// A trial as search.json and sweep.json have it.
[[nodiscard]] nlohmann::ordered_json to_json(const trial::Trial& trial);
/// The same trial again. Throws nlohmann's exceptions for what was not written by to_json.
[[nodiscard]] trial::Trial trial_from_json(const nlohmann::ordered_json& json);

}  // namespace walstorm::report
