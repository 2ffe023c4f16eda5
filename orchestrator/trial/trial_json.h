#pragma once

#include <nlohmann/json.hpp>

#include "orchestrator/text/named.h"
#include "orchestrator/trial/trial.h"

namespace walstorm::trial {

/// A trial as search.json and sweep.json have it.
[[nodiscard]] nlohmann::ordered_json to_json(const Trial& trial);
/// The same trial again. Throws nlohmann's exceptions for what was not written by to_json.
[[nodiscard]] Trial trial_from_json(const nlohmann::ordered_json& json);

}  // namespace walstorm::trial
