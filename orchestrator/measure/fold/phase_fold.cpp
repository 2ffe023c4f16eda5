#include "orchestrator/measure/fold/phase_fold.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "orchestrator/measure/fold/load_schedule.h"
#include "proto/wire/error.h"

namespace walstorm::measure {
namespace {

/// More of them are counted, not listed.
constexpr std::size_t kBlindMax = 3;

template <typename Fold>
Fold& worker_in(std::map<std::string, Fold>& workers, const std::string& name) {
  const auto at = workers.find(name);
  if (at == workers.end()) {
    throw wire::Error(wire::ErrorKind::internal, fmt::format("no worker \"{}\" in this phase", name));
  }
  return at->second;
}

/// A sum is known only when every part is.
void add_part(std::optional<double>& sum, const std::optional<double>& part) {
  sum = sum && part ? std::optional(*sum + *part) : std::nullopt;
}

std::optional<double> to_ms(std::optional<double> us) {
  return us ? std::optional(*us / 1000) : std::nullopt;
}

}  // namespace

PhaseFold::PhaseFold(PhaseFacts facts)
    : facts_(std::move(facts)), ladder_(std::exchange(facts_.carry_over.head, {})) {
  roles_.emplace_back("orchestrator");
  for (const WorkerFacts& worker : facts_.producers) {
    producers_.try_emplace(worker.name);
    roles_.push_back(worker.name);
  }
  for (const WorkerFacts& worker : facts_.consumers) {
    const auto before = facts_.carry_over.acknowledged.find(worker.name);
    consumers_.try_emplace(worker.name, before == facts_.carry_over.acknowledged.end()
                                            ? std::nullopt
                                            : std::optional(before->second));
    roles_.push_back(worker.name);
  }
  roles_.emplace_back("postgres-walsender");
  roles_.emplace_back("postgres-backends");
  roles_.emplace_back("postgres-sampler");
  if (facts_.own_clickhouse) roles_.emplace_back("clickhouse");
  for (const std::string& role : roles_) usage_.try_emplace(role);
}

void PhaseFold::ready(const std::string& worker, const proto::PhaseReady& ready) {
  if (producers_.contains(worker)) {
    producers_.at(worker).ready(ready.at_unix_us());
  } else {
    worker_in(consumers_, worker).ready(ready.at_unix_us());
    for (CountCurve* curve : {&samples_, &flushes_seen_, &samples_full_}) curve->add({ready.at_unix_us(), 0});
  }
  ready_unix_us_ = std::min(ready_unix_us_.value_or(ready.at_unix_us()), ready.at_unix_us());
  if (ready.has_usage()) take_usage(worker, ready.at_unix_us(), ready.usage());
}

template <typename Frame>
void PhaseFold::take_stats(const std::string& worker, const Frame& frame, bool is_result) {
  if (frame.has_producer()) {
    worker_in(producers_, worker).take(frame.producer(), frame.taken_unix_us(), is_result);
  } else if (frame.has_consumer()) {
    worker_in(consumers_, worker).take(frame.consumer(), frame.taken_unix_us(), is_result);
    look_at_flushes(frame.consumer(), frame.taken_unix_us());
  } else {
    throw wire::Error(wire::ErrorKind::protocol, fmt::format("{} sent figures of neither kind", worker));
  }
  if (frame.has_usage()) take_usage(worker, frame.taken_unix_us(), frame.usage());
}

void PhaseFold::look_at_flushes(const proto::ConsumerStats& stats, std::int64_t at_unix_us) {
  if (load_ended_unix_us_ || !facts_.flush_concurrency_max) return;
  const auto add = [at_unix_us](CountCurve& curve, std::uint64_t more) {
    curve.add({at_unix_us, (curve.empty() ? 0 : curve.points().back().count) + more});
  };
  add(samples_, 1);
  add(flushes_seen_, stats.flushes_in_flight());
  add(samples_full_, stats.flushes_in_flight() >= *facts_.flush_concurrency_max ? 1 : 0);
}

void PhaseFold::sample(const std::string& worker, const proto::Sample& sample) {
  take_stats(worker, sample, false);
}

void PhaseFold::result(const std::string& worker, const proto::PhaseResult& result) {
  take_stats(worker, result, true);
}

void PhaseFold::take_usage(const std::string& worker, std::int64_t at_unix_us,
                           const proto::ProcessUsage& usage) {
  process(ProcessSample{
      .at_unix_us = at_unix_us,
      .role = worker,
      .pid = std::nullopt,
      .cpu_user_us = usage.cpu_user_us(),
      .cpu_system_us = usage.cpu_system_us(),
      .rss_bytes = usage.rss_bytes(),
      .rss_max_bytes = usage.rss_max_bytes(),
      .context_switches = usage.context_switches(),
      .cpu_wait_us = usage.has_cpu_wait_us() ? std::optional(usage.cpu_wait_us()) : std::nullopt});
}

void PhaseFold::parts(const PartsSample& sample) {
  if (!parts_first_) parts_first_ = sample;
  parts_last_ = sample;
  parts_active_max_ = std::max(parts_active_max_, sample.active);
}

void PhaseFold::ladder(const LadderSample& sample) {
  ladder_.take(sample);
  if (!sample.head_lsn || !sample.confirmed_lsn) return;
  wal_behind_bytes_end_ = sample.head_lsn->bytes_after(*sample.confirmed_lsn);
  wal_behind_bytes_max_ = std::max(wal_behind_bytes_max_.value_or(0), *wal_behind_bytes_end_);
}

void PhaseFold::server(const ServerLook& look) {
  const auto started = load_started();
  server_.take(look, started && look.at_unix_us >= *started && !load_ended_unix_us_);
}

void PhaseFold::process(const ProcessSample& sample) {
  const auto at = usage_.find(sample.role);
  if (at == usage_.end()) {
    throw wire::Error(wire::ErrorKind::internal, fmt::format("no role \"{}\" in this phase", sample.role));
  }
  at->second.add(sample);
}

void PhaseFold::machine(const MachineSample& sample) {
  machine_busy_us_.add({sample.at_unix_us, sample.busy_us});
  machine_all_us_.add({sample.at_unix_us, sample.all_us});
}

void PhaseFold::load_ended(std::int64_t at_unix_us) {
  load_ended_unix_us_ = at_unix_us;
}

void PhaseFold::drain_ended(bool completed, double duration_sec) {
  drain_ = {completed, duration_sec};
  if (completed || !all_consumers_done()) return;
  for (const auto& [name, consumer] : consumers_) {
    const double quiet_sec = static_cast<double>(consumer.totals().quiet_us) / 1e6;
    drain_.quiet_sec = std::min(drain_.quiet_sec.value_or(quiet_sec), quiet_sec);
  }
}

void PhaseFold::stood_still(std::int64_t from_unix_us, std::int64_t to_unix_us) {
  if (blind_.size() < kBlindMax) blind_.push_back({from_unix_us, to_unix_us});
  ++blind_count_;
  blind_sec_ += std::max(0.0, static_cast<double>(to_unix_us - from_unix_us) / 1e6);
}

std::optional<std::int64_t> PhaseFold::load_started() const {
  std::optional<std::int64_t> first;
  for (const auto& [name, producer] : producers_) {
    const auto started = producer.load_started();
    if (started) first = std::min(first.value_or(*started), *started);
  }
  return first;
}

Second PhaseFold::close_second(std::int64_t now_unix_us) {
  Second second;
  second.at_unix_us = now_unix_us;
  second.phase = facts_.phase.name;
  second.draining = load_ended_unix_us_.has_value();
  if (const auto started = load_started()) {
    second.phase_elapsed_sec = std::max(0.0, static_cast<double>(now_unix_us - *started) / 1e6);
    if (!second.draining) second.target_per_sec = close_target(*started);
  }
  for (const std::string& role : roles_) second.processes.push_back(usage_.at(role).close_second(role));
  add_ladder(second);
  add_rates(second);
  return second;
}

/// The target of the very stretch that the producers' rates of this second are of, which ends with their
/// newest Samples: on a ramp a target read off the clock would be ahead of them.
std::optional<double> PhaseFold::close_target(std::int64_t load_started_unix_us) {
  std::optional<std::int64_t> newest;
  for (const auto& [name, producer] : producers_) {
    if (producer.produced().empty()) return std::nullopt;
    const std::int64_t at = producer.produced().points().back().at_unix_us;
    newest = std::min(newest.value_or(at), at);
  }
  if (!newest) return std::nullopt;
  const double elapsed_sec = std::max(0.0, static_cast<double>(*newest - load_started_unix_us) / 1e6);
  const double from_sec = std::exchange(target_closed_sec_, elapsed_sec);
  const auto due = records_due(facts_.phase.load, facts_.phase.duration_sec, elapsed_sec);
  const auto due_before = records_due(facts_.phase.load, facts_.phase.duration_sec, from_sec);
  if (!due || !due_before || elapsed_sec <= from_sec) return std::nullopt;
  return (*due - *due_before) / (elapsed_sec - from_sec);
}

void PhaseFold::add_rates(Second& second) {
  const auto rate_of = [&second](const std::string& role) -> std::optional<double>& {
    return std::find_if(second.processes.begin(), second.processes.end(),
                        [&](const Second::Process& process) { return process.role == role; })
        ->records_per_sec;
  };
  wire::Histogram schedule_lag_us;
  if (!producers_.empty()) second.produced_per_sec = 0;
  for (auto& [name, producer] : producers_) {
    const ProducerFold::SecondPart part = producer.close_second();
    rate_of(name) = part.records_per_sec;
    add_part(second.produced_per_sec, part.records_per_sec);
    schedule_lag_us.merge(part.schedule_lag_us);
  }
  second.schedule_lag_p99_ms = to_ms(schedule_lag_us.percentile(99));

  wire::Histogram lag_us;
  std::uint64_t busy_us = 0;
  std::uint64_t elapsed_us = 0;
  std::uint64_t flushes_in_flight = 0;
  std::uint64_t buffered_bytes = 0;
  bool all_reported = !consumers_.empty();
  if (!consumers_.empty()) second.received_per_sec = second.landed_per_sec = 0;
  for (auto& [name, consumer] : consumers_) {
    const ConsumerFold::SecondPart part = consumer.close_second();
    rate_of(name) = part.acknowledged_per_sec;
    add_part(second.received_per_sec, part.received_per_sec);
    add_part(second.landed_per_sec, part.acknowledged_per_sec);
    lag_us.merge(part.lag_us);
    busy_us += part.busy_us;
    elapsed_us += part.elapsed_us;
    all_reported = all_reported && part.reported;
    flushes_in_flight += consumer.totals().flushes_in_flight;
    buffered_bytes += consumer.totals().buffered_bytes;
  }
  if (all_reported) {
    second.flushes_in_flight = flushes_in_flight;
    second.buffered_bytes = buffered_bytes;
  }
  second.lag_p50_ms = to_ms(lag_us.percentile(50));
  second.lag_p99_ms = to_ms(lag_us.percentile(99));
  if (elapsed_us > 0) {
    second.loop_utilization = static_cast<double>(busy_us) / static_cast<double>(elapsed_us);
  }
}

/// Of several consumers the one that is furthest behind. Nothing in a second in which one of them has not
/// told: the head of the WAL has gone on meanwhile, and so have they.
ConsumerRungs PhaseFold::consumer_rungs() const {
  ConsumerRungs rungs;
  for (const auto& [name, consumer] : consumers_) {
    if (!consumer.reported_this_second()) return {};
    const ConsumerFold::Totals& totals = consumer.totals();
    rungs.received = std::min(rungs.received.value_or(totals.received_lsn), totals.received_lsn);
    rungs.flushed = std::min(rungs.flushed.value_or(totals.flushed_lsn), totals.flushed_lsn);
  }
  return rungs;
}

void PhaseFold::add_ladder(Second& second) {
  const LadderDistances now = ladder_.close_second(consumer_rungs());
  second.head_to_sent_bytes = now.head_to_sent.bytes;
  second.sent_to_received_bytes = now.sent_to_received.bytes;
  second.received_to_flushed_bytes = now.received_to_flushed.bytes;
  second.flushed_to_confirmed_bytes = now.flushed_to_confirmed.bytes;
  second.head_to_sent_sec = now.head_to_sent.sec;
  second.sent_to_received_sec = now.sent_to_received.sec;
  second.received_to_flushed_sec = now.received_to_flushed.sec;
  second.flushed_to_confirmed_sec = now.flushed_to_confirmed.sec;
  server_.close_second(second);
}

}  // namespace walstorm::measure
