#include "orchestrator/measure/fold/producer_fold.h"

#include <utility>

namespace walstorm::measure {

void ProducerFold::ready(std::int64_t at_unix_us) {
  ready_unix_us_ = at_unix_us;
  produced_.add({at_unix_us, 0});
  rate_.add({at_unix_us, 0});
}

void ProducerFold::take(const proto::ProducerStats& stats, std::int64_t taken_unix_us, bool is_result) {
  totals_.produced = wire::from_proto(stats.produced());
  const std::uint64_t records = totals_.produced.records();
  // A result may come long after the last commit; without this point the curve would spread the last records
  // over that time.
  if (is_result && stats.last_commit_unix_us() != 0) produced_.add({stats.last_commit_unix_us(), records});
  produced_.add({taken_unix_us, records});
  rate_.add({taken_unix_us, records});

  totals_.transactions = stats.transactions();
  totals_.bytes = stats.bytes();
  totals_.errors = stats.errors();
  totals_.records_failed = stats.records_failed();
  totals_.errors_by_sqlstate = {stats.errors_by_sqlstate().begin(), stats.errors_by_sqlstate().end()};
  totals_.connection_busy_us = {stats.connection_busy_us().begin(), stats.connection_busy_us().end()};
  totals_.not_started = stats.records_not_started();
  totals_.became_inserts = stats.became_inserts();
  totals_.reconnects = stats.reconnects();
  totals_.offline_us_max = stats.offline_us_max();
  totals_.settled_committed = stats.settled_committed();
  totals_.settled_rolled_back = stats.settled_rolled_back();
  totals_.load_started_unix_us = stats.load_started_unix_us();
  totals_.last_commit_unix_us = stats.last_commit_unix_us();
  totals_.rows_expected = wire::from_proto(stats.rows_expected());
  totals_.write_latency_us = wire::Histogram::from_proto(stats.write_latency_us());
  totals_.service_time_us = wire::Histogram::from_proto(stats.service_time_us());
  auto schedule_lag_us = wire::Histogram::from_proto(stats.schedule_lag_us());
  second_schedule_lag_us_.merge(schedule_lag_us.since(totals_.schedule_lag_us));
  totals_.schedule_lag_us = std::move(schedule_lag_us);
  totals_.not_started_us = wire::Histogram::from_proto(stats.not_started_us());
  totals_.pending_us = wire::Histogram::from_proto(stats.pending_us());
  has_stats_ = true;
  has_result_ = has_result_ || is_result;
}

std::optional<std::int64_t> ProducerFold::load_started() const {
  if (totals_.load_started_unix_us != 0) return totals_.load_started_unix_us;
  if (ready_unix_us_ != 0) return ready_unix_us_;
  return std::nullopt;
}

ProducerFold::SecondPart ProducerFold::close_second() {
  SecondPart part;
  part.records_per_sec = rate_.close_second();
  if (!part.records_per_sec && has_result_) part.records_per_sec = 0;
  part.schedule_lag_us = std::exchange(second_schedule_lag_us_, {});
  if (!has_result_) {
    part.schedule_lag_us.merge(totals_.not_started_us.above(part.schedule_lag_us.max().value_or(0)));
  }
  return part;
}

}  // namespace walstorm::measure
