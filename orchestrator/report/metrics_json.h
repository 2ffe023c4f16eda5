#pragma once

#include <nlohmann/json.hpp>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::report {

/// metrics.json, schema version 1 (DESIGN §10): the same keys in every run, null where a figure was not
/// measured. `config` is the resolved configuration with its secrets taken out (config::to_json).
[[nodiscard]] nlohmann::ordered_json metrics_json(const measure::RunReport& report,
                                                  const nlohmann::json& config);

}  // namespace walstorm::report
