#pragma once

#include <nlohmann/json.hpp>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::report {

/// A phase's "ladder", "postgres", "course" and "busy" in metrics.json.
[[nodiscard]] nlohmann::ordered_json ladder_json(const measure::LadderReport& ladder);
[[nodiscard]] nlohmann::ordered_json postgres_json(const measure::PostgresReport& postgres);
[[nodiscard]] nlohmann::ordered_json course_json(const measure::PipeCourse& course);
[[nodiscard]] nlohmann::ordered_json busy_json(const measure::BusyReport& busy);

/// The environment's "clocks".
[[nodiscard]] nlohmann::ordered_json clocks_json(const std::vector<measure::ClockReport>& clocks);

}  // namespace walstorm::report
