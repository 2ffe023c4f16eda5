#pragma once

#include <optional>

#include "orchestrator/config/config.h"
#include "orchestrator/config/sink_kind.h"
#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

/// The settings that bear on who is slow; what is 0 is not known.
struct PipeSettings {
  config::Producer producer;
  config::Consumer consumer;
  config::SinkKind sink = config::SinkKind::private_clickhouse;
  double cpu_count = 0;  ///< that may be used: a container's quota need not be whole
};

/// Of the connections' time, the share they were in transactions. By Little's law: how many are busy on
/// average is how many start in a second times how long each takes.
[[nodiscard]] std::optional<double> connections_busy(const PhaseReport& phase, const PipeSettings& settings);

/// All producers' together.
[[nodiscard]] double connections_of(const PipeSettings& settings);

}  // namespace walstorm::measure
