#include "orchestrator/measure/fold/pipe_totals.h"

#include <cstddef>

#include "proto/wire/error.h"

namespace walstorm::measure {
namespace {

constexpr double kUsToMs = 0.001;

/// What a difference and a sum go over, so that neither forgets one.
template <typename Each>
void for_each_count(const Each& each) {
  using P = ProducerTotals;
  using C = ConsumerTotals;
  for (auto count : {&P::inserts, &P::updates, &P::deletes, &P::transactions, &P::bytes, &P::errors,
                     &P::became_inserts, &P::records_failed}) {
    each(&PipeTotals::producer, count);
  }
  for (auto count : {&C::received, &C::acknowledged, &C::batches, &C::bytes, &C::errors, &C::retries,
                     &C::encoded_bytes, &C::wire_bytes, &C::busy_us, &C::elapsed_us}) {
    each(&PipeTotals::consumer, count);
  }
}

std::uint64_t difference(std::uint64_t now, std::uint64_t before) {
  if (before > now) throw wire::Error(wire::ErrorKind::protocol, "a cumulative count went backwards");
  return now - before;
}

std::optional<std::uint64_t> difference(const std::optional<std::uint64_t>& now,
                                        const std::optional<std::uint64_t>& before) {
  if (!now || !before || *before > *now) return std::nullopt;
  return *now - *before;
}

std::optional<double> per_record(const std::optional<std::uint64_t>& us, std::uint64_t records) {
  return us ? ratio(static_cast<double>(*us), static_cast<double>(records)) : std::nullopt;
}

std::optional<double> error_rate(std::uint64_t errors, std::uint64_t successes) {
  return ratio(static_cast<double>(errors), static_cast<double>(errors + successes));
}

}  // namespace

std::optional<double> ratio(double part, double whole) {
  return whole > 0 ? std::optional(part / whole) : std::nullopt;
}

std::array<wire::Histogram*, 7> PipeTotals::histograms() {
  return {&producer.write_latency_us, &producer.service_time_us, &producer.schedule_lag_us, &consumer.lag_us,
          &consumer.receive_us,       &consumer.queue_us,        &consumer.flush_us};
}

std::array<const wire::Histogram*, 7> PipeTotals::histograms() const {
  return {&producer.write_latency_us, &producer.service_time_us, &producer.schedule_lag_us, &consumer.lag_us,
          &consumer.receive_us,       &consumer.queue_us,        &consumer.flush_us};
}

PipeTotals PipeTotals::since(const PipeTotals& earlier) const {
  PipeTotals part;
  part.at_unix_us = at_unix_us;
  for_each_count([&](auto side, auto count) {
    part.*side.*count = difference(this->*side.*count, earlier.*side.*count);
  });
  for (std::size_t i = 0; i < histograms().size(); ++i) {
    *part.histograms().at(i) = histograms().at(i)->since(*earlier.histograms().at(i));
  }
  part.producer.cpu_us = difference(producer.cpu_us, earlier.producer.cpu_us);
  part.consumer.cpu_us = difference(consumer.cpu_us, earlier.consumer.cpu_us);
  return part;
}

void PipeTotals::add(const PipeTotals& next) {
  at_unix_us = next.at_unix_us;
  for_each_count([&](auto side, auto count) { this->*side.*count += next.*side.*count; });
  for (std::size_t i = 0; i < histograms().size(); ++i) histograms().at(i)->merge(*next.histograms().at(i));
  const auto add_cpu = [](std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& part) {
    sum = sum && part ? std::optional(*sum + *part) : std::nullopt;
  };
  add_cpu(producer.cpu_us, next.producer.cpu_us);
  add_cpu(consumer.cpu_us, next.consumer.cpu_us);
}

ProducerReport report_of(const ProducerTotals& totals) {
  ProducerReport report;
  report.records = totals.records();
  report.inserts = totals.inserts;
  report.updates = totals.updates;
  report.deletes = totals.deletes;
  report.transactions = totals.transactions;
  report.bytes = totals.bytes;
  report.errors = totals.errors;
  report.became_inserts = totals.became_inserts;
  report.records_failed = totals.records_failed;
  report.error_rate = error_rate(totals.errors, totals.transactions);
  report.write_latency_ms = distribution_of(totals.write_latency_us, kUsToMs);
  report.service_time_ms = distribution_of(totals.service_time_us, kUsToMs);
  report.schedule_lag_ms = distribution_of(totals.schedule_lag_us, kUsToMs);
  report.cpu_micros_per_record = per_record(totals.cpu_us, report.records);
  return report;
}

ConsumerReport report_of(const ConsumerTotals& totals) {
  ConsumerReport report;
  report.records = totals.acknowledged;
  report.batches = totals.batches;
  report.bytes = totals.bytes;
  report.errors = totals.errors;
  report.retries = totals.retries;
  report.encoded_bytes = totals.encoded_bytes;
  report.wire_bytes = totals.wire_bytes;
  report.error_rate = error_rate(totals.errors, totals.batches);
  report.records_per_flush =
      ratio(static_cast<double>(totals.acknowledged), static_cast<double>(totals.batches));
  report.loop_utilization_mean =
      ratio(static_cast<double>(totals.busy_us), static_cast<double>(totals.elapsed_us));
  report.lag_ms = distribution_of(totals.lag_us, kUsToMs);
  report.receive_ms = distribution_of(totals.receive_us, kUsToMs);
  report.queue_ms = distribution_of(totals.queue_us, kUsToMs);
  report.flush_ms = distribution_of(totals.flush_us, kUsToMs);
  report.cpu_micros_per_record = per_record(totals.cpu_us, totals.received);
  return report;
}

}  // namespace walstorm::measure
