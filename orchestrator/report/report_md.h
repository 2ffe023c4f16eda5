#pragma once

#include <string>

#include "orchestrator/measure/run_report.h"

namespace walstorm::report {

/// report.md: the verdicts first, then the figures behind them as tables, then how to read them.
[[nodiscard]] std::string report_md(const measure::RunReport& report);

}  // namespace walstorm::report
