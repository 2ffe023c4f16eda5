#include <algorithm>
#include <fmt/format.h>

#include "orchestrator/measure/censor.h"
#include "orchestrator/measure/load_schedule.h"
#include "orchestrator/measure/phase_fold.h"
#include "orchestrator/measure/verdict.h"

/// The second half of PhaseFold: from what was folded to the report.
namespace walstorm::measure {
namespace {

constexpr double kUsToMs = 0.001;

std::optional<double> ratio(double part, double whole) {
  return whole > 0 ? std::optional(part / whole) : std::nullopt;
}

std::optional<double> error_rate(std::uint64_t errors, std::uint64_t successes) {
  return ratio(static_cast<double>(errors), static_cast<double>(errors + successes));
}

std::string reconnect_note(const std::string& name, const ProducerFold::Totals& totals) {
  std::string note = fmt::format("{} lost its connection to PostgreSQL {} {}, reconnected within {:.3f} s",
                                 name, totals.reconnects, totals.reconnects == 1 ? "time" : "times",
                                 static_cast<double>(totals.offline_us_max) / 1e6);
  const std::uint64_t settled = totals.settled_committed + totals.settled_rolled_back;
  if (settled == 0) return note;
  return note + fmt::format("; {} without an answer {} looked up: {} committed, {} rolled back",
                            settled == 1 ? "1 commit" : fmt::format("{} commits", settled),
                            settled == 1 ? "was" : "were", totals.settled_committed,
                            totals.settled_rolled_back);
}

}  // namespace

bool PhaseFold::all_producers_done() const {
  return std::all_of(producers_.begin(), producers_.end(),
                     [](const auto& p) { return p.second.has_result(); });
}

bool PhaseFold::all_consumers_done() const {
  return std::all_of(consumers_.begin(), consumers_.end(),
                     [](const auto& c) { return c.second.has_result(); });
}

std::uint64_t PhaseFold::produced_records() const {
  std::uint64_t records = 0;
  for (const auto& [name, producer] : producers_) records += producer.totals().produced.records();
  return records;
}

std::optional<double> PhaseFold::cpu_per_record(const std::vector<WorkerFacts>& workers,
                                                std::uint64_t records) const {
  double cpu_us = 0;
  for (const WorkerFacts& worker : workers) {
    const auto part = usage_.at(worker.name).cpu_us();
    if (!part) return std::nullopt;
    cpu_us += static_cast<double>(*part);
  }
  return ratio(cpu_us, static_cast<double>(records));
}

std::optional<PhaseFold::LoadWindow> PhaseFold::load_window(Outcome outcome) const {
  const auto started = load_started();
  if (!started) return std::nullopt;
  std::int64_t last_commit = *started;
  std::int64_t last_seen = *started;
  for (const auto& [name, producer] : producers_) {
    last_commit = std::max(last_commit, producer.totals().last_commit_unix_us);
    last_seen = std::max(last_seen, producer.produced().points().empty()
                                        ? *started
                                        : producer.produced().points().back().at_unix_us);
  }
  const auto start = static_cast<double>(*started);
  const auto committed = static_cast<double>(last_commit);
  const double stopped = std::max(static_cast<double>(load_ended_unix_us_.value_or(last_seen)), committed);
  const std::uint64_t records = produced_records();
  const auto planned_sec = schedule_sec(facts_.phase);
  if (!planned_sec) {
    // Unthrottled, a number of records ends the load by itself, before anyone is told.
    const bool by_records = facts_.phase.records && records >= *facts_.phase.records;
    return LoadWindow{start, by_records ? committed : stopped, 1};
  }
  const double planned_end = start + *planned_sec * 1e6;
  const bool ran_to_end = outcome == Outcome::passed || stopped >= planned_end ||
                          (facts_.expected_records && records >= *facts_.expected_records);
  if (ran_to_end) return LoadWindow{start, std::max(planned_end, committed), 1};
  const double due =
      records_due(facts_.phase.load, facts_.phase.duration_sec, (stopped - start) / 1e6).value_or(0);
  const double due_in_all =
      records_due(facts_.phase.load, facts_.phase.duration_sec, *planned_sec).value_or(0);
  return LoadWindow{start, stopped, due_in_all > 0 ? due / due_in_all : 1};
}

ProducerReport PhaseFold::producer_report(const std::optional<LoadWindow>& window) const {
  ProducerReport report;
  wire::ChangeTally produced;
  wire::Histogram write_latency_us, service_time_us, schedule_lag_us;
  std::uint64_t not_started = 0;
  for (const auto& [name, producer] : producers_) {
    const ProducerFold::Totals& totals = producer.totals();
    produced.merge(totals.produced);
    report.transactions += totals.transactions;
    report.bytes += totals.bytes;
    report.errors += totals.errors;
    report.became_inserts += totals.became_inserts;
    not_started += totals.not_started;
    write_latency_us.merge(totals.write_latency_us);
    service_time_us.merge(totals.service_time_us);
    schedule_lag_us.merge(totals.schedule_lag_us);
  }
  report.records = produced.records();
  report.inserts = produced.inserts;
  report.updates = produced.updates;
  report.deletes = produced.deletes;
  if (all_producers_done()) report.not_started = not_started;
  report.error_rate = error_rate(report.errors, report.transactions);
  report.write_latency_ms = distribution_of(write_latency_us, kUsToMs);
  report.service_time_ms = distribution_of(service_time_us, kUsToMs);
  report.schedule_lag_ms = distribution_of(schedule_lag_us, kUsToMs);
  report.cpu_micros_per_record = cpu_per_record(facts_.producers, report.records);
  if (!window) return report;
  const auto records = static_cast<double>(report.records);
  report.throughput = ratio(records, window->seconds());
  report.throughput_per_sec =
      distribution_of(rates_within(produced_curve(), window->start_unix_us, window->end_unix_us));
  if (facts_.expected_records) {
    report.target_ratio = ratio(records, static_cast<double>(*facts_.expected_records) * window->share);
  }
  return report;
}

ConsumerReport PhaseFold::consumer_report(const std::optional<LoadWindow>& window) const {
  ConsumerReport report;
  std::uint64_t received = 0;
  std::uint64_t busy_us = 0;
  std::uint64_t elapsed_us = 0;
  for (const auto& [name, consumer] : consumers_) {
    if (!consumer.has_stats()) continue;
    const ConsumerFold::Totals& totals = consumer.totals();
    received += totals.received.records();
    report.records += totals.acknowledged.records();
    report.batches += totals.batches;
    report.bytes += totals.bytes;
    report.errors += totals.errors;
    report.retries += totals.retries;
    if (!totals.flush_error_last.empty()) report.flush_error_last = totals.flush_error_last;
    report.encoded_bytes += totals.encoded_bytes;
    report.wire_bytes += totals.wire_bytes;
    busy_us += totals.busy_us;
    elapsed_us += totals.elapsed_us;
    report.buffered_bytes_max = std::max(report.buffered_bytes_max.value_or(0), totals.buffered_bytes_max);
    report.heap_bytes_max = std::max(report.heap_bytes_max.value_or(0), totals.heap_bytes_max);
    if (const auto share = consumer.loop_utilization_max()) {
      report.loop_utilization_max = std::max(report.loop_utilization_max.value_or(0), *share);
    }
  }
  report.error_rate = error_rate(report.errors, report.batches);
  report.records_per_flush = ratio(static_cast<double>(report.records), static_cast<double>(report.batches));
  if (parts_first_) {
    report.parts_created = parts_last_->created - parts_first_->created;
    report.parts_active_max = parts_active_max_;
    report.parts_active_end = parts_last_->active;
  }
  report.loop_utilization_mean = ratio(static_cast<double>(busy_us), static_cast<double>(elapsed_us));
  report.wal_behind_bytes_max = wal_behind_bytes_max_;
  report.wal_behind_bytes_end = wal_behind_bytes_end_;
  report.cpu_micros_per_record = cpu_per_record(facts_.consumers, received);
  add_lag(report);
  const CountCurve acknowledged = run_acknowledged_curve();
  if (!window || acknowledged.empty()) return report;
  // Of what the run had acknowledged when the load started, none was this phase's, whatever a straight line
  // between the Samples around that moment says.
  const double before =
      *acknowledged.at(window->start_unix_us) - acknowledged_curve().at(window->start_unix_us).value_or(0);
  report.throughput = ratio(*acknowledged.at(window->end_unix_us) - before, window->seconds());
  report.throughput_per_sec =
      distribution_of(rates_within(acknowledged, window->start_unix_us, window->end_unix_us));
  return report;
}

void PhaseFold::add_lag(ConsumerReport& report) const {
  wire::Histogram lag_us, receive_us, queue_us, flush_us;
  std::uint64_t acknowledged = 0;
  std::int64_t gave_up_unix_us = 0;
  for (const auto& [name, consumer] : consumers_) {
    lag_us.merge(consumer.totals().lag_us);
    receive_us.merge(consumer.totals().receive_us);
    queue_us.merge(consumer.totals().queue_us);
    flush_us.merge(consumer.totals().flush_us);
    acknowledged += consumer.totals().acknowledged.records();
    gave_up_unix_us = std::max(gave_up_unix_us, consumer.taken_unix_us());
  }
  const bool both_known = all_producers_done() && all_consumers_done();
  if (drain_.completed == true) {
    report.censored = 0;
  } else if (both_known) {
    report.censored = add_censored(produced_curve(), acknowledged, gave_up_unix_us, lag_us);
  }
  report.lag_ms = distribution_of(lag_us, kUsToMs);
  report.receive_ms = distribution_of(receive_us, kUsToMs);
  report.queue_ms = distribution_of(queue_us, kUsToMs);
  report.flush_ms = distribution_of(flush_us, kUsToMs);
}

std::vector<ProcessReport> PhaseFold::process_reports(const std::optional<LoadWindow>& window) const {
  const auto pid_of = [this](const std::string& role) -> std::optional<std::int64_t> {
    for (const auto* workers : {&facts_.producers, &facts_.consumers}) {
      for (const WorkerFacts& worker : *workers) {
        if (worker.name == role) return worker.pid;
      }
    }
    return std::nullopt;
  };
  std::vector<ProcessReport> reports;
  for (const std::string& role : roles_) {
    std::uint64_t records = produced_records();
    if (const auto producer = producers_.find(role); producer != producers_.end()) {
      records = producer->second.totals().produced.records();
    } else if (const auto consumer = consumers_.find(role); consumer != consumers_.end()) {
      records = consumer->second.totals().received.records();
    }
    reports.push_back(usage_.at(role).report(role, records));
    if (!reports.back().pid) reports.back().pid = pid_of(role);
    if (!window) continue;
    const CpuLoad cpu = usage_.at(role).cpu_load(window->middle_unix_us(), window->end_unix_us);
    reports.back().cpu_share = cpu.share;
    reports.back().cpu_wait_share = cpu.wait_share;
  }
  return reports;
}

ChangeSides PhaseFold::phase_sides() const {
  ChangeSides sides;
  sides.drained = drain_.completed.value_or(false);
  if (all_producers_done()) {
    sides.produced.emplace();
    for (const auto& [name, producer] : producers_) sides.produced->merge(producer.totals().produced);
  }
  if (all_consumers_done()) {
    sides.received.emplace();
    sides.acknowledged.emplace();
    sides.replayed = 0;
    for (const auto& [name, consumer] : consumers_) {
      sides.received->merge(consumer.totals().received);
      sides.acknowledged->merge(consumer.totals().acknowledged);
      *sides.replayed += consumer.totals().replayed.records();
    }
  }
  return sides;
}

Carry PhaseFold::carry() const {
  const ChangeSides sides = phase_sides();
  Carry carry = facts_.carry;
  if (carry.produced && sides.produced) {
    carry.produced->merge(*sides.produced);
  } else {
    carry.produced.reset();
  }
  if (carry.replayed && sides.replayed) {
    *carry.replayed += *sides.replayed;
  } else {
    carry.replayed.reset();
  }
  for (const auto& [name, consumer] : consumers_) {
    if (!consumer.has_stats()) continue;
    carry.acknowledged[name] = {consumer.taken_unix_us(), consumer.totals().run_acknowledged.records()};
  }
  carry.lag_floor_sec = lag_floor_sec();
  return carry;
}

ChangeLedger PhaseFold::run_ledger() const {
  const Carry run = carry();
  ChangeSides sides = phase_sides();
  sides.produced = run.produced;
  sides.replayed = run.replayed;
  if (sides.received) {
    sides.received = sides.acknowledged = wire::ChangeTally{};
    for (const auto& [name, consumer] : consumers_) {
      sides.received->merge(consumer.totals().run_received);
      sides.acknowledged->merge(consumer.totals().run_acknowledged);
    }
  }
  return settle_changes(sides);
}

std::optional<wire::RowTally> PhaseFold::rows_expected() const {
  if (!all_producers_done()) return std::nullopt;
  wire::RowTally rows;
  for (const auto& [name, producer] : producers_) rows.merge(producer.totals().rows_expected);
  return rows;
}

std::vector<std::string> PhaseFold::notes() const {
  std::vector<std::string> notes;
  const auto note = [&notes](const auto& workers) {
    for (const auto& [name, worker] : workers) {
      if (worker.has_result()) continue;
      notes.push_back(fmt::format(
          "{} did not give its final figures for this phase: those of its last Sample are shown", name));
    }
  };
  note(producers_);
  note(consumers_);
  for (const auto& [name, consumer] : consumers_) {
    const ConsumerFold::Totals& totals = consumer.totals();
    for (const std::string& outage : totals.outages) notes.push_back(fmt::format("{} {}", name, outage));
    if (totals.reconnects > totals.outages.size()) {
      notes.push_back(fmt::format("{} reconnected {} times in all", name, totals.reconnects));
    }
  }
  for (const auto& [name, producer] : producers_) {
    if (producer.totals().reconnects > 0) notes.push_back(reconnect_note(name, producer.totals()));
  }
  return notes;
}

PhaseReport PhaseFold::settle(Outcome outcome) const {
  const auto window = load_window(outcome);
  PhaseReport report;
  report.name = facts_.phase.name;
  report.warmup = facts_.phase.warmup;
  report.target = facts_.phase.load;
  report.started_at_unix_us = load_started().value_or(ready_unix_us_.value_or(0));
  report.duration_sec = window ? window->seconds() : 0;
  report.producer = producer_report(window);
  report.consumer = consumer_report(window);
  report.processes = process_reports(window);
  report.drain = drain_;
  report.ledger = settle_changes(phase_sides());
  report.outcome = is_clean(report.ledger) ? outcome : Outcome::failed;
  report.notes = notes();

  report.verdict =
      judge(report, pipe_course(window, report.consumer.flush_ms), part_load(window), facts_.settings);
  return report;
}

}  // namespace walstorm::measure
