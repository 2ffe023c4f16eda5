#pragma once

#include <nlohmann/json.hpp>

#include "orchestrator/measure/run_report.h"

namespace walstorm::report {

/// A phase's "ladder" and "postgres" in metrics.json.
[[nodiscard]] nlohmann::ordered_json ladder_json(const measure::LadderReport& ladder);
[[nodiscard]] nlohmann::ordered_json postgres_json(const measure::PostgresReport& postgres);

/// The environment's "clocks".
[[nodiscard]] nlohmann::ordered_json clocks_json(const std::vector<measure::ClockReport>& clocks);

}  // namespace walstorm::report
