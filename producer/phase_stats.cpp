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
  out.set_reconnects(reconnects);
  out.set_offline_us(static_cast<std::uint64_t>(offline_us));
  out.set_offline_us_max(static_cast<std::uint64_t>(offline_us_max));
  out.set_settled_committed(settled_committed);
  out.set_settled_rolled_back(settled_rolled_back);
  write_latency_us.to_proto(*out.mutable_write_latency_us());
  service_time_us.to_proto(*out.mutable_service_time_us());
  schedule_lag_us.to_proto(*out.mutable_schedule_lag_us());
}

}  // namespace walstorm::producer
