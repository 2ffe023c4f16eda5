#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "proto/metrics.pb.h"
#include "proto/wire/change_tally.h"
#include "proto/wire/histogram.h"

namespace walstorm::producer {

/// What all connections of this producer have done in one phase. Fields as in proto/metrics.proto,
/// ProducerStats.
struct PhaseStats {
  wire::ChangeTally produced;
  std::uint64_t transactions = 0;
  std::uint64_t bytes = 0;
  std::map<std::string, std::uint64_t, std::less<>> errors;  // by SQLSTATE
  std::uint64_t records_failed = 0;
  std::uint64_t became_inserts = 0;
  std::int64_t last_commit_unix_us = 0;
  std::uint64_t reconnects = 0;
  std::int64_t offline_us = 0;
  std::int64_t offline_us_max = 0;
  std::uint64_t settled_committed = 0;
  std::uint64_t settled_rolled_back = 0;
  // Once per transaction: it is transactions that are due, start and commit.
  wire::Histogram write_latency_us;
  wire::Histogram service_time_us;
  wire::Histogram schedule_lag_us;
  // Of those that came to nothing: given up - due.
  wire::Histogram failed_us;

  /// A transaction was rolled back. Returns how many there are with that SQLSTATE by now.
  std::uint64_t count_error(std::string_view sqlstate);
  [[nodiscard]] std::uint64_t all_errors() const;
  void to_proto(proto::ProducerStats& out) const;
};

}  // namespace walstorm::producer
