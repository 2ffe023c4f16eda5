#include "producer/phase_stats.h"

namespace walstorm::producer {

std::uint64_t PhaseStats::count_error(std::string_view sqlstate) {
  const auto found = errors.find(sqlstate);
  return found == errors.end() ? (errors[std::string(sqlstate)] = 1) : ++found->second;
}

std::uint64_t PhaseStats::all_errors() const {
  std::uint64_t all = 0;
  for (const auto& [sqlstate, count] : errors) all += count;
  return all;
}

void PhaseStats::to_proto(proto::ProducerStats& out) const {
  wire::to_proto(produced, *out.mutable_produced());
  out.set_transactions(transactions);
  out.set_bytes(bytes);
  out.set_errors(all_errors());
  out.mutable_errors_by_sqlstate()->insert(errors.begin(), errors.end());
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
