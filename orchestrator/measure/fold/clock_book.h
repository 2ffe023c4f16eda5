#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"
#include "proto/metrics.pb.h"
#include "proto/wire/clock_offset.h"

namespace walstorm::measure {

/// How far each process's wall clock is ahead of PostgreSQL's, and the workers' times as the orchestrator's
/// clock would have shown them: all that is folded is of one clock.
class ClockBook final {
 public:
  /// The newest comparison of the orchestrator's own clock, and of a worker's.
  void own(const wire::ClockOffset& offset) { own_ = offset; }
  void worker(const std::string& name, const wire::ClockOffset& offset) { workers_[name] = offset; }

  /// `frame` with every time in it on the orchestrator's clock; nullopt when it is as it was, because the two
  /// clocks show the same within the error of the comparison, or because one was never compared.
  [[nodiscard]] std::optional<proto::MetricsFrame> on_own_clock(const std::string& worker,
                                                                const proto::MetricsFrame& frame) const;

  /// It was compared at least once.
  [[nodiscard]] bool knows(const std::string& worker) const { return workers_.contains(worker); }

  /// Whose clock has moved against PostgreSQL's since `before`, by more than both comparisons can be wrong:
  /// sentences for the phase in between. One of the two was set, or they drift.
  [[nodiscard]] std::vector<std::string> moved_since(const ClockBook& before) const;

  /// The orchestrator's first, then the workers' by name; those that were compared.
  [[nodiscard]] std::vector<ClockReport> reports() const;

 private:
  [[nodiscard]] std::int64_t ahead_of_own_us(const std::string& worker) const;

  std::optional<wire::ClockOffset> own_;
  std::map<std::string, wire::ClockOffset> workers_;
};

/// That wall clocks were set while a phase was on: by how many microseconds, by process; 0 where it was not.
/// Empty when none was.
[[nodiscard]] std::string wall_clocks_set_text(const std::map<std::string, std::int64_t>& set_by_us);

}  // namespace walstorm::measure
