#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/figure_names.h"
#include "orchestrator/measure/figures/figure_traits.h"
#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

/// A numeric figure of a phase's report.
struct Figure {
  /// In metrics.json, below a phase: "consumer.lagMs.p99". Of a process what follows its role: "rssMaxBytes".
  std::string path;
  FigureTraits traits;
};

/// Every numeric figure of a phase, but for those of its processes; in the order of metrics.json.
[[nodiscard]] const std::vector<Figure>& figures();
[[nodiscard]] const std::vector<Figure>& process_figures();

/// The value at `path`, a process's too; nullopt when it was not measured, or is no figure.
[[nodiscard]] std::optional<double> figure_of(const PhaseReport& phase, const std::string& path);

/// What is known of the figure at `path`, a process's too; nullopt for what is no figure.
[[nodiscard]] std::optional<FigureTraits> traits_of(const std::string& path);
/// Which way the figure at `path` should go; neither for what is no figure.
[[nodiscard]] Better better_of(const std::string& path);

/// "12.1 ms" of consumer.lagMs.p50, "5,003/s" of producer.throughput; without a unit for what is no figure.
[[nodiscard]] std::string figure_text(const std::string& path, std::optional<double> value);

/// What thresholds may name.
[[nodiscard]] config::FigureNames figure_names();

}  // namespace walstorm::measure
