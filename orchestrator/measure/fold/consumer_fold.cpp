#include "orchestrator/measure/fold/consumer_fold.h"

#include <algorithm>
#include <utility>

namespace walstorm::measure {
namespace {

/// The Sample at the load's end may come just after the one by timer. A window shorter than this is joined to
/// the next: a few milliseconds of work would read as a loop that is always busy.
constexpr std::uint64_t kLoopWindowUsMin = 500'000;

}  // namespace

ConsumerFold::ConsumerFold(std::optional<CountPoint> acknowledged_before)
    : acknowledged_before_(acknowledged_before) {
  if (acknowledged_before) run_acknowledged_.add(*acknowledged_before);
}

void ConsumerFold::ready(std::int64_t at_unix_us) {
  ready_unix_us_ = at_unix_us;
  acknowledged_.add({at_unix_us, 0});
  busy_us_.add({at_unix_us, 0});
}

void ConsumerFold::take(const proto::ConsumerStats& stats, std::int64_t taken_unix_us, bool is_result) {
  const bool is_first = !has_stats_;
  take_counts(stats);
  if (is_first) {
    // PhaseReady carries no counts. All that the run had before this phase was there when it began, but for
    // what is left of an earlier phase's backlog, and then acknowledged_before_ tells where that stood.
    const std::uint64_t received = totals_.run_received.records() - totals_.received.records();
    const std::uint64_t earlier = totals_.run_acknowledged.records() - totals_.acknowledged.records();
    const CountPoint begin{ready_unix_us_, earlier_acknowledged_at_ready(earlier, taken_unix_us)};
    run_acknowledged_.add(begin);
    received_rate_.add({ready_unix_us_, received});
    acknowledged_rate_.add(begin);
  }
  acknowledged_.add({taken_unix_us, totals_.acknowledged.records()});
  run_acknowledged_.add({taken_unix_us, totals_.run_acknowledged.records()});
  received_rate_.add({taken_unix_us, totals_.run_received.records()});
  acknowledged_rate_.add({taken_unix_us, totals_.run_acknowledged.records()});
  take_histograms(stats);
  busy_us_.add({taken_unix_us, totals_.busy_us});
  take_loop_window();
  taken_unix_us_ = taken_unix_us;
  has_stats_ = reported_this_second_ = true;
  has_result_ = has_result_ || is_result;
}

/// `earlier`: what the run has acknowledged of earlier phases by `at_unix_us`. What came of it since the
/// phase before ended came evenly, the time between the phases included, in which nothing of this phase
/// could.
std::uint64_t ConsumerFold::earlier_acknowledged_at_ready(std::uint64_t earlier,
                                                          std::int64_t at_unix_us) const {
  if (!acknowledged_before_ || earlier <= acknowledged_before_->count) return earlier;
  const auto between = static_cast<double>(ready_unix_us_ - acknowledged_before_->at_unix_us);
  const auto until_now = static_cast<double>(at_unix_us - acknowledged_before_->at_unix_us);
  if (between <= 0 || until_now <= between) return acknowledged_before_->count;
  const auto stragglers = static_cast<double>(earlier - acknowledged_before_->count);
  return acknowledged_before_->count + static_cast<std::uint64_t>(stragglers * between / until_now);
}

void ConsumerFold::take_counts(const proto::ConsumerStats& stats) {
  totals_.received = wire::from_proto(stats.received());
  totals_.acknowledged = wire::from_proto(stats.acknowledged());
  totals_.replayed = wire::from_proto(stats.replayed());
  totals_.run_received = wire::from_proto(stats.run_received());
  totals_.run_acknowledged = wire::from_proto(stats.run_acknowledged());
  totals_.batches = stats.batches();
  totals_.bytes = stats.bytes();
  totals_.errors = stats.errors();
  totals_.retries = stats.retries();
  totals_.encoded_bytes = stats.encoded_bytes();
  totals_.wire_bytes = stats.wire_bytes();
  totals_.buffered_bytes = stats.buffered_bytes();
  totals_.buffered_bytes_max = stats.buffered_bytes_max();
  totals_.batch_bytes_max = stats.batch_bytes_max();
  totals_.flushes_in_flight = stats.flushes_in_flight();
  totals_.heap_bytes_max = stats.heap_bytes_max();
  totals_.busy_us = stats.busy_us();
  totals_.elapsed_us = stats.elapsed_us();
  totals_.quiet_us = stats.quiet_us();
  totals_.before_commit = stats.before_commit();
  totals_.before_commit_us_max = stats.before_commit_us_max();
  totals_.flush_error_last = stats.flush_error_last();
  totals_.reconnects = stats.reconnects();
  totals_.outages.assign(stats.outages().begin(), stats.outages().end());
  totals_.received_lsn = {stats.received_lsn()};
  totals_.flushed_lsn = {stats.flushed_lsn()};
}

void ConsumerFold::take_histograms(const proto::ConsumerStats& stats) {
  auto lag_us = wire::Histogram::from_proto(stats.lag_us());
  second_lag_us_.merge(lag_us.since(totals_.lag_us));
  totals_.lag_us = std::move(lag_us);
  totals_.receive_us = wire::Histogram::from_proto(stats.receive_us());
  totals_.queue_us = wire::Histogram::from_proto(stats.queue_us());
  totals_.flush_us = wire::Histogram::from_proto(stats.flush_us());
}

void ConsumerFold::take_loop_window() {
  if (totals_.elapsed_us < window_elapsed_us_ + kLoopWindowUsMin) return;
  const double share = static_cast<double>(totals_.busy_us - window_busy_us_) /
                       static_cast<double>(totals_.elapsed_us - window_elapsed_us_);
  loop_utilization_max_ = std::max(loop_utilization_max_.value_or(0), share);
  window_busy_us_ = totals_.busy_us;
  window_elapsed_us_ = totals_.elapsed_us;
}

ConsumerFold::SecondPart ConsumerFold::close_second() {
  SecondPart part;
  part.reported = std::exchange(reported_this_second_, false);
  part.received_per_sec = received_rate_.close_second();
  part.acknowledged_per_sec = acknowledged_rate_.close_second();
  part.lag_us = std::exchange(second_lag_us_, {});
  part.busy_us = totals_.busy_us - std::exchange(second_busy_us_, totals_.busy_us);
  part.elapsed_us = totals_.elapsed_us - std::exchange(second_elapsed_us_, totals_.elapsed_us);
  return part;
}

}  // namespace walstorm::measure
