#include <algorithm>
#include <fmt/format.h>

#include "orchestrator/measure/fold/censor.h"
#include "orchestrator/measure/fold/load_schedule.h"
#include "orchestrator/measure/fold/phase_fold.h"
#include "orchestrator/measure/judge/verdict.h"

/// The second half of PhaseFold: from what was folded to the report.
namespace walstorm::measure {
namespace {

template <typename Fold>
bool all_have_told(const std::map<std::string, Fold>& workers) {
  return std::all_of(workers.begin(), workers.end(), [](const auto& w) { return w.second.has_stats(); });
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

std::optional<std::uint64_t> PhaseFold::cpu_us(const std::vector<WorkerFacts>& workers) const {
  std::uint64_t sum = 0;
  for (const WorkerFacts& worker : workers) {
    const auto part = usage_.at(worker.name).cpu_us();
    if (!part) return std::nullopt;
    sum += *part;
  }
  return sum;
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
  const auto stopped = static_cast<double>(load_ended_unix_us_.value_or(last_seen));
  const double ended = std::max(stopped, committed);
  const std::uint64_t records = produced_records();
  const auto planned_sec = schedule_sec(facts_.phase);
  if (!planned_sec) {
    // Unthrottled, a number of records ends the load by itself, before anyone is told.
    const bool by_records = facts_.phase.records && records >= *facts_.phase.records;
    return LoadWindow{start, by_records ? committed : ended, 1};
  }
  const double planned_end = start + *planned_sec * 1e6;
  const bool ran_to_end = outcome == Outcome::passed || ended >= planned_end ||
                          (facts_.expected_records && records >= *facts_.expected_records);
  if (ran_to_end) return LoadWindow{start, std::max(planned_end, committed), 1};
  // Nothing fell due any more once it was over, however long the last batches took.
  const double due =
      records_due(facts_.phase.load, facts_.phase.duration_sec, (stopped - start) / 1e6).value_or(0);
  const double due_in_all =
      records_due(facts_.phase.load, facts_.phase.duration_sec, *planned_sec).value_or(0);
  return LoadWindow{start, ended, due_in_all > 0 ? due / due_in_all : 1};
}

/// As of the workers' newest figures.
PipeTotals PhaseFold::totals() const {
  PipeTotals sum;
  ProducerTotals& written = sum.producer;
  for (const auto& [name, producer] : producers_) {
    const ProducerFold::Totals& totals = producer.totals();
    written.inserts += totals.produced.inserts;
    written.updates += totals.produced.updates;
    written.deletes += totals.produced.deletes;
    written.transactions += totals.transactions;
    written.bytes += totals.bytes;
    written.errors += totals.errors;
    written.became_inserts += totals.became_inserts;
    written.records_failed += totals.records_failed;
    written.write_latency_us.merge(totals.write_latency_us);
    written.service_time_us.merge(totals.service_time_us);
    written.schedule_lag_us.merge(totals.schedule_lag_us);
  }
  written.cpu_us = cpu_us(facts_.producers);
  ConsumerTotals& read = sum.consumer;
  for (const auto& [name, consumer] : consumers_) {
    const ConsumerFold::Totals& totals = consumer.totals();
    read.received += totals.received.records();
    read.acknowledged += totals.acknowledged.records();
    read.batches += totals.batches;
    read.bytes += totals.bytes;
    read.errors += totals.errors;
    read.retries += totals.retries;
    read.encoded_bytes += totals.encoded_bytes;
    read.wire_bytes += totals.wire_bytes;
    read.busy_us += totals.busy_us;
    read.elapsed_us += totals.elapsed_us;
    read.lag_us.merge(totals.lag_us);
    read.receive_us.merge(totals.receive_us);
    read.queue_us.merge(totals.queue_us);
    read.flush_us.merge(totals.flush_us);
  }
  read.cpu_us = cpu_us(facts_.consumers);
  return sum;
}

/// Of the whole phase or of a stretch of it. `records_due`: in the window.
ProducerReport PhaseFold::producer_report(const ProducerTotals& totals,
                                          const std::optional<LoadWindow>& window,
                                          std::optional<double> records_due) const {
  ProducerReport report = report_of(totals);
  report.counts_known = all_have_told(producers_);
  for (const auto& [name, producer] : producers_) {
    for (const auto& [sqlstate, count] : producer.totals().errors_by_sqlstate) {
      report.errors_by_sqlstate[sqlstate] += count;
    }
  }
  if (all_producers_done()) {  // until then some may yet be started
    report.not_started = 0;
    for (const auto& [name, producer] : producers_) *report.not_started += producer.totals().not_started;
  }
  if (!window) return report;
  const CountCurve produced = produced_curve();
  auto records = static_cast<double>(report.records);
  if (window->is_live && !produced.empty()) {
    records = *produced.at(window->end_unix_us) - *produced.at(window->start_unix_us);
  }
  report.throughput = ratio(records, window->seconds());
  report.throughput_per_sec =
      distribution_of(rates_within(produced, window->start_unix_us, window->end_unix_us));
  if (records_due) report.target_ratio = ratio(records, *records_due);
  return report;
}

ConsumerReport PhaseFold::consumer_report(const ConsumerTotals& totals,
                                          const std::optional<LoadWindow>& window) const {
  ConsumerReport report = report_of(totals);
  report.counts_known = all_have_told(consumers_);
  for (const auto& [name, consumer] : consumers_) {
    if (!consumer.has_stats()) continue;
    const ConsumerFold::Totals& newest = consumer.totals();
    if (!newest.flush_error_last.empty()) report.flush_error_last = newest.flush_error_last;
    report.buffered_bytes_max = std::max(report.buffered_bytes_max.value_or(0), newest.buffered_bytes_max);
    report.batch_bytes_max = std::max(report.batch_bytes_max.value_or(0), newest.batch_bytes_max);
    report.heap_bytes_max = std::max(report.heap_bytes_max.value_or(0), newest.heap_bytes_max);
    if (const auto share = consumer.loop_utilization_max()) {
      report.loop_utilization_max = std::max(report.loop_utilization_max.value_or(0), *share);
    }
  }
  if (parts_first_) {
    report.parts_created = parts_last_->created - parts_first_->created;
    report.parts_active_max = parts_active_max_;
    report.parts_active_end = parts_last_->active;
  }
  report.wal_behind_bytes_max = wal_behind_bytes_max_;
  report.wal_behind_bytes_end = wal_behind_bytes_end_;
  const CountCurve acknowledged = run_acknowledged_curve();
  if (!window || acknowledged.empty()) return report;
  // Of what the run had acknowledged when the load started, none was this phase's, whatever a straight line
  // between the Samples around that moment says.
  const bool from_the_start = window->start_unix_us <= static_cast<double>(load_started().value_or(0));
  const double before = *acknowledged.at(window->start_unix_us) -
                        (from_the_start ? acknowledged_curve().at(window->start_unix_us).value_or(0) : 0);
  report.throughput = ratio(*acknowledged.at(window->end_unix_us) - before, window->seconds());
  report.throughput_per_sec =
      distribution_of(rates_within(acknowledged, window->start_unix_us, window->end_unix_us));
  return report;
}

/// Enters into write latency and schedule lag what was due and is not in the table; how many transactions
/// that are, where it is known.
std::optional<std::uint64_t> PhaseFold::censor(ProducerTotals& totals) const {
  std::uint64_t entered = 0;
  for (const auto& [name, producer] : producers_) {
    const ProducerFold::Totals& newest = producer.totals();
    totals.write_latency_us.merge(newest.not_started_us);
    totals.write_latency_us.merge(newest.pending_us);
    totals.schedule_lag_us.merge(newest.not_started_us);
    entered += newest.not_started_us.count() + newest.pending_us.count();
  }
  return all_have_told(producers_) ? std::optional(entered) : std::nullopt;
}

/// Enters into the lag what the drain has left; how many records that are, where it is known.
std::optional<std::uint64_t> PhaseFold::censor(ConsumerTotals& totals) const {
  if (drain_.completed == true) return 0;
  if (!all_producers_done() || !all_consumers_done()) return std::nullopt;
  std::int64_t gave_up_unix_us = 0;
  for (const auto& [name, consumer] : consumers_) {
    gave_up_unix_us = std::max(gave_up_unix_us, consumer.taken_unix_us());
  }
  return add_censored(produced_curve(), totals.acknowledged, gave_up_unix_us, totals.lag_us);
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

CarryOver PhaseFold::carry_over() const {
  const ChangeSides sides = phase_sides();
  CarryOver carry_over = facts_.carry_over;
  if (carry_over.produced && sides.produced) {
    carry_over.produced->merge(*sides.produced);
  } else {
    carry_over.produced.reset();
  }
  if (carry_over.replayed && sides.replayed) {
    *carry_over.replayed += *sides.replayed;
  } else {
    carry_over.replayed.reset();
  }
  for (const auto& [name, consumer] : consumers_) {
    if (!consumer.has_stats()) continue;
    carry_over.acknowledged[name] = {consumer.taken_unix_us(), consumer.totals().run_acknowledged.records()};
  }
  carry_over.head = ladder_.head();
  carry_over.lag_floor_sec = lag_floor_sec();
  return carry_over;
}

ChangeLedger PhaseFold::run_ledger() const {
  const CarryOver run = carry_over();
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

/// What is told of a whole phase and of a phase that runs alike.
PhaseReport PhaseFold::figures(const PipeTotals& totals, const std::optional<LoadWindow>& window,
                               std::optional<double> records_due) const {
  PhaseReport report;
  report.name = facts_.phase.name;
  report.warmup = facts_.phase.warmup;
  report.target = facts_.phase.load;
  const auto started = load_started();
  report.started_at_unix_us = started ? started : ready_unix_us_;
  if (window) report.duration_sec = window->seconds();
  report.producer = producer_report(totals.producer, window, records_due);
  report.consumer = consumer_report(totals.consumer, window);
  report.processes = process_reports(window);
  report.ladder = ladder_.report(consumer_rungs());
  report.postgres = server_.report();
  return report;
}

PhaseReport PhaseFold::settle(Outcome outcome) const {
  const auto window = load_window(outcome);
  std::optional<double> records_due;
  if (window && facts_.expected_records) {
    records_due = static_cast<double>(*facts_.expected_records) * window->share;
  }
  PipeTotals totals = this->totals();
  const auto not_committed = censor(totals.producer);
  const auto censored = censor(totals.consumer);
  PhaseReport report = figures(totals, window, records_due);
  report.producer.censored = not_committed;
  report.consumer.censored = censored;
  report.drain = drain_;
  report.ledger = settle_changes(phase_sides());
  report.outcome = is_clean(report.ledger) ? outcome : Outcome::failed;
  report.notes = notes();
  report.backlog = backlog_trend(window, report.consumer.flush_ms);
  report.busy = busy_report(report, window);
  report.verdict = judge(report, facts_.settings);
  return report;
}

}  // namespace walstorm::measure
