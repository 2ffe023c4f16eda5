#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "orchestrator/measure/figures/run_report.h"
#include "proto/wire/histogram.h"

namespace walstorm::measure {

/// What all producers of a phase did, together: since it began, or in a stretch of it.
struct ProducerTotals {
  std::uint64_t inserts = 0, updates = 0, deletes = 0, transactions = 0, bytes = 0, errors = 0;
  std::uint64_t became_inserts = 0, records_failed = 0;
  std::optional<std::uint64_t> cpu_us = 0;  ///< nullopt once a part of it is not known
  wire::Histogram write_latency_us, service_time_us, schedule_lag_us;

  [[nodiscard]] std::uint64_t records() const { return inserts + updates + deletes; }
};

/// What all consumers did. Records are this phase's.
struct ConsumerTotals {
  std::uint64_t received = 0, acknowledged = 0, batches = 0, bytes = 0, errors = 0, retries = 0;
  std::uint64_t encoded_bytes = 0, wire_bytes = 0, busy_us = 0, elapsed_us = 0;
  std::optional<std::uint64_t> cpu_us = 0;
  wire::Histogram lag_us, receive_us, queue_us, flush_us;
};

/// All that is counted of a phase, up to one moment or in a stretch that ends then.
struct PipeTotals {
  std::int64_t at_unix_us = 0;
  ProducerTotals producer;
  ConsumerTotals consumer;

  [[nodiscard]] std::array<wire::Histogram*, 7> histograms();
  [[nodiscard]] std::array<const wire::Histogram*, 7> histograms() const;

  /// What came after `earlier`, older totals of the same phase. Throws Error{protocol} when those hold more.
  [[nodiscard]] PipeTotals since(const PipeTotals& earlier) const;
  /// The next stretch's, so that both are one.
  void add(const PipeTotals& next);
};

/// The figures that follow from totals alone: counts, shares, distributions, CPU per record.
[[nodiscard]] ProducerReport report_of(const ProducerTotals& totals);
[[nodiscard]] ConsumerReport report_of(const ConsumerTotals& totals);

/// nullopt where there is no whole.
[[nodiscard]] std::optional<double> ratio(double part, double whole);

}  // namespace walstorm::measure
