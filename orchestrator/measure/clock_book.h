#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/measure/run_report.h"
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

  /// The orchestrator's first, then the workers' by name; those that were compared.
  [[nodiscard]] std::vector<ClockReport> reports() const;

 private:
  [[nodiscard]] std::int64_t ahead_of_own_us(const std::string& worker) const;

  std::optional<wire::ClockOffset> own_;
  std::map<std::string, wire::ClockOffset> workers_;
};

}  // namespace walstorm::measure
