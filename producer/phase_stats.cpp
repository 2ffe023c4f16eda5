#include "producer/phase_stats.h"

namespace walstorm::producer {

void PhaseStats::to_proto(proto::ProducerStats& out) const {
  wire::to_proto(produced, *out.mutable_produced());
  out.set_transactions(transactions);
  out.set_bytes(bytes);
  out.set_errors(errors);
  out.set_records_failed(records_failed);
  out.set_became_inserts(became_inserts);
  out.set_last_commit_unix_us(last_commit_unix_us);
  write_latency_us.to_proto(*out.mutable_write_latency_us());
  service_time_us.to_proto(*out.mutable_service_time_us());
  schedule_lag_us.to_proto(*out.mutable_schedule_lag_us());
}

}  // namespace walstorm::producer
