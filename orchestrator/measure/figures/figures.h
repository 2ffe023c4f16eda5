#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/figure_names.h"
#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

/// Which way a figure should go, where one can say so: a lag down, a throughput up, a number of records
/// neither.
enum class Better { lower, higher, neither };

/// A numeric figure of a phase's report, by its path in metrics.json below a phase.
struct Figure {
  std::string path;  ///< "consumer.lagMs.p99"
  Better better = Better::neither;
  config::Told told = config::Told::at_the_end;
  std::function<std::optional<double>(const PhaseReport&)> value;
};

/// A numeric figure of one of the report's processes, by what follows the role in
/// "processes.consumer-0.rssMaxBytes".
struct ProcessFigure {
  std::string path;
  Better better = Better::neither;
  config::Told told = config::Told::at_the_end;
  std::function<std::optional<double>(const ProcessReport&)> value;
};

/// Every numeric figure of a phase, but for those of its processes; in the order of metrics.json.
[[nodiscard]] const std::vector<Figure>& figures();
[[nodiscard]] const std::vector<ProcessFigure>& process_figures();

/// The value at `path`, a process's too; nullopt when it was not measured, or is no figure.
[[nodiscard]] std::optional<double> figure_of(const PhaseReport& phase, const std::string& path);

/// Which way the figure at `path` should go; neither for what is no figure.
[[nodiscard]] Better better_of(const std::string& path);

/// What thresholds may name.
[[nodiscard]] config::FigureNames figure_names();

}  // namespace walstorm::measure
