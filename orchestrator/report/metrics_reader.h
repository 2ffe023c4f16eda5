#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/report/tool_version.h"

namespace walstorm::report {

inline constexpr const char* kMetricsFile = "metrics.json";

/// A run as its metrics.json has it.
struct RecordedRun {
  /// Everything but `config`, which is below as text: what a config file says and what walstorm makes of it
  /// may differ from version to version, and a comparison is of what it said.
  measure::RunReport report;
  ToolVersion tool;
  /// Every leaf of the resolved config: "phases.0.durationSec" -> "60".
  std::map<std::string, std::string> config;
};

/// The inverse of metrics_json. A key that earlier versions did not write is a figure that was not measured.
/// `source` names the text in errors. Throws Error{config} for what is no metrics.json of schema version 1.
[[nodiscard]] RecordedRun parse_run(std::string_view text, const std::string& source);

/// The run of `folder`, which stands in the report's `folder` as it is given here. Throws as parse_run, and
/// where there is no metrics.json.
[[nodiscard]] RecordedRun read_run(const std::filesystem::path& folder);

}  // namespace walstorm::report
