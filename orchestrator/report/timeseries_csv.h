#pragma once

#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"

/// timeseries.csv: one line per second of the run, each ending in a newline. A figure that was not measured
/// in that second is an empty field.
namespace walstorm::report {

inline constexpr const char* kTimeseriesFile = "timeseries.csv";

/// `roles`: the processes of the run, known at its start; each has a CPU and a memory column.
[[nodiscard]] std::string csv_header(const std::vector<std::string>& roles);

/// The line of one second, with the columns of csv_header(roles).
[[nodiscard]] std::string csv_line(const measure::Second& second, const std::vector<std::string>& roles);

}  // namespace walstorm::report
