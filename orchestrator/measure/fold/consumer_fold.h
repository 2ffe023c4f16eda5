#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/measure/figures/count_curve.h"
#include "proto/metrics.pb.h"
#include "proto/wire/change_tally.h"
#include "proto/wire/histogram.h"
#include "proto/wire/lsn.h"

namespace walstorm::measure {

/// One consumer's account of a phase: its newest cumulative figures, and its records over time.
class ConsumerFold final {
 public:
  /// The newest figures; of a consumer that died, those of its last Sample.
  struct Totals {
    wire::ChangeTally received, acknowledged, replayed, run_received, run_acknowledged;
    std::uint64_t batches = 0, bytes = 0, errors = 0, retries = 0;
    std::uint64_t encoded_bytes = 0, wire_bytes = 0;
    std::uint64_t buffered_bytes = 0, buffered_bytes_max = 0, batch_bytes_max = 0, flushes_in_flight = 0,
                  heap_bytes_max = 0;
    std::uint64_t busy_us = 0, elapsed_us = 0;
    std::uint64_t quiet_us = 0;
    std::uint64_t before_commit = 0, before_commit_us_max = 0;
    std::string flush_error_last;
    std::uint64_t reconnects = 0;
    std::vector<std::string> outages;  ///< sentences without a subject, of the first few
    wire::Lsn received_lsn, flushed_lsn;
    wire::Histogram lag_us, receive_us, queue_us, flush_us;
  };

  struct SecondPart {
    bool reported = false;  ///< figures came in it
    std::optional<double> received_per_sec, acknowledged_per_sec;
    wire::Histogram lag_us;
    std::uint64_t busy_us = 0, elapsed_us = 0;
  };

  /// `acknowledged_before`: where the run's acknowledged count stood when the phase before ended; nullopt in
  /// the first phase.
  explicit ConsumerFold(std::optional<CountPoint> acknowledged_before);

  void ready(std::int64_t at_unix_us);
  /// `is_result` marks the final figures. Throws Error{protocol} when a cumulative figure went backwards.
  void take(const proto::ConsumerStats& stats, std::int64_t taken_unix_us, bool is_result);

  [[nodiscard]] const Totals& totals() const { return totals_; }
  /// This phase's records, and the run's: a backlog of earlier phases is in the second only.
  [[nodiscard]] const CountCurve& acknowledged() const { return acknowledged_; }
  [[nodiscard]] const CountCurve& run_acknowledged() const { return run_acknowledged_; }
  [[nodiscard]] bool has_stats() const { return has_stats_; }
  /// Since the last close_second().
  [[nodiscard]] bool reported_this_second() const { return reported_this_second_; }
  [[nodiscard]] bool has_result() const { return has_result_; }
  /// The time that its loop was at work, in microseconds.
  [[nodiscard]] const CountCurve& busy_us() const { return busy_us_; }
  /// The moment of the newest figures.
  [[nodiscard]] std::int64_t taken_unix_us() const { return taken_unix_us_; }
  /// The busiest stretch between two Samples, 0 to 1.
  [[nodiscard]] std::optional<double> loop_utilization_max() const { return loop_utilization_max_; }

  /// What was added since the last call; call once a second.
  [[nodiscard]] SecondPart close_second();

 private:
  [[nodiscard]] std::uint64_t earlier_acknowledged_at_ready(std::uint64_t earlier,
                                                            std::int64_t at_unix_us) const;
  void take_counts(const proto::ConsumerStats& stats);
  void take_histograms(const proto::ConsumerStats& stats);
  void take_loop_window();

  Totals totals_;
  std::optional<CountPoint> acknowledged_before_;
  CountCurve acknowledged_;
  CountCurve run_acknowledged_;
  CountCurve busy_us_;
  RateMeter received_rate_;
  RateMeter acknowledged_rate_;
  wire::Histogram second_lag_us_;
  std::uint64_t second_busy_us_ = 0, second_elapsed_us_ = 0;  // the loop's times at the last close_second
  std::uint64_t window_busy_us_ = 0, window_elapsed_us_ = 0;  // and where its current window began
  std::optional<double> loop_utilization_max_;
  std::int64_t ready_unix_us_ = 0;
  std::int64_t taken_unix_us_ = 0;
  bool has_stats_ = false, reported_this_second_ = false;
  bool has_result_ = false;
};

}  // namespace walstorm::measure
