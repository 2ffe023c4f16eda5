#pragma once

#include <string>

#include "orchestrator/measure/run_report.h"
#include "orchestrator/report/tool_version.h"

namespace walstorm::report {

/// report.md: the verdicts first, then the figures behind them as tables, then how to read them. `tool`:
/// which walstorm made the run.
[[nodiscard]] std::string report_md(const measure::RunReport& report, const ToolVersion& tool = this_tool());

}  // namespace walstorm::report
