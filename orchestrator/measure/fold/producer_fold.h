#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/measure/figures/count_curve.h"
#include "proto/metrics.pb.h"
#include "proto/wire/change_tally.h"
#include "proto/wire/histogram.h"

namespace walstorm::measure {

/// One producer's account of a phase: its newest cumulative figures, and its records over time.
class ProducerFold final {
 public:
  /// The newest figures; of a producer that died, those of its last Sample.
  struct Totals {
    wire::ChangeTally produced;
    std::uint64_t transactions = 0, bytes = 0, errors = 0, not_started = 0, became_inserts = 0;
    std::uint64_t records_failed = 0;
    std::map<std::string, std::uint64_t> errors_by_sqlstate;
    std::vector<std::uint64_t> connection_busy_us;
    std::uint64_t reconnects = 0, offline_us_max = 0, settled_committed = 0, settled_rolled_back = 0;
    std::int64_t load_started_unix_us = 0, last_commit_unix_us = 0;  // 0: not yet
    wire::RowTally rows_expected;
    wire::Histogram write_latency_us, service_time_us, schedule_lag_us;
    wire::Histogram not_started_us, pending_us;  // as of now, by their age
  };

  struct SecondPart {
    std::optional<double> records_per_sec;
    wire::Histogram schedule_lag_us;
  };

  void ready(std::int64_t at_unix_us);
  /// `is_result` marks the final figures. Throws Error{protocol} when a cumulative figure went backwards.
  void take(const proto::ProducerStats& stats, std::int64_t taken_unix_us, bool is_result);

  [[nodiscard]] const Totals& totals() const { return totals_; }
  [[nodiscard]] const CountCurve& produced() const { return produced_; }
  [[nodiscard]] bool has_stats() const { return has_stats_; }
  [[nodiscard]] bool has_result() const { return has_result_; }
  /// Wall clock of the schedule's start; nullopt until known.
  [[nodiscard]] std::optional<std::int64_t> load_started() const;

  /// What was added since the last call; call once a second. A producer that has given its result adds 0.
  /// The schedule lag of a second in which batches waited for longer than any that started: has those too,
  /// with the age they have by then.
  [[nodiscard]] SecondPart close_second();

 private:
  Totals totals_;
  CountCurve produced_;
  RateMeter rate_;
  wire::Histogram second_schedule_lag_us_;
  std::int64_t ready_unix_us_ = 0;
  bool has_stats_ = false;
  bool has_result_ = false;
};

}  // namespace walstorm::measure
