#pragma once

#include <map>
#include <string>

#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/report/timeline.h"
#include "orchestrator/report/tool_version.h"

namespace walstorm::report {

/// report.md: the verdicts first, then the figures behind them as tables, then how to read them. `tool`:
/// which walstorm made the run; `timelines`: of its timeseries.csv, drawn where there are any.
[[nodiscard]] std::string report_md(const measure::RunReport& report, const ToolVersion& tool = this_tool(),
                                    const std::map<std::string, Timeline>& timelines = {});

}  // namespace walstorm::report
