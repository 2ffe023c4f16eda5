#pragma once

#include <optional>

#include "orchestrator/config/config.h"

namespace walstorm::measure {

/// The settings that bear on who is slow; what is 0 is not known.
struct PipeSettings {
  config::Producer producer;
  config::Consumer consumer;
  unsigned cpu_count = 0;
};

/// What a process made of the time it had, as shares of one core.
struct CpuLoad {
  std::optional<double> share;       ///< on a CPU
  std::optional<double> wait_share;  ///< ready to run, and no CPU free for it
};

/// How busy each part of the pipe was in the load's second half, when an overload has had time to show;
/// flushes_full_share over all of the load.
struct PartLoad {
  CpuLoad producer;  ///< the busiest one
  CpuLoad consumer, walsender;
  CpuLoad backends, clickhouse;               ///< several processes, or many threads: may be above 1
  std::optional<double> consumer_loop_share;  ///< of its time in which the loop worked
  /// Share of the Samples with as many flushes under way as are allowed.
  std::optional<double> flushes_full_share;
};

}  // namespace walstorm::measure
