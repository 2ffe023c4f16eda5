#include "orchestrator/run/phase_runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <utility>

#include "orchestrator/measure/ledger/ledger.h"
#include "orchestrator/postgres/server_probe.h"
#include "orchestrator/process/cpu_count.h"
#include "orchestrator/report/threshold_text.h"
#include "orchestrator/run/setup_frames.h"
#include "orchestrator/text/format.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::run {
namespace {

using measure::Outcome;
using process::Waited;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Error;
using wire::ErrorKind;

constexpr seconds kReadyTimeout{15};
/// A worker sends a Sample every second while a phase is on.
constexpr seconds kSilenceMax{15};
/// How long workers that still live may take to give their figures after another one has failed.
constexpr seconds kSalvageTimeout{5};
/// A comparison of clocks that takes longer comes too late for this phase.
constexpr seconds kClockTimeout{2};

milliseconds from_sec(double sec) {
  return milliseconds(static_cast<std::int64_t>(sec * 1000));
}

}  // namespace

PhaseRunner::PhaseRunner(process::EventLoop& loop, const config::Config& config, std::string run_id,
                         Workers& workers, postgres::PreparedDatabase& database, target::Target& target,
                         RunOutputs& outputs, std::function<std::string()> server_failure)
    : loop_(loop),
      config_(config),
      run_id_(std::move(run_id)),
      workers_(workers),
      database_(database),
      target_(target),
      outputs_(outputs),
      server_failure_(std::move(server_failure)),
      profiler_(outputs.profiler()),
      doctor_(outputs.doctor()),
      sampling_(loop, database.conninfo("walstorm-sampler"), "sample PostgreSQL") {}

bool PhaseRunner::run(const config::PhasePlan& phase, std::vector<measure::PhaseReport>& reports) {
  // A drain is not broken off by a first Ctrl-C, but it is the run's last.
  if (loop_.interrupts() > kEndEarly) {
    outputs_.say(fmt::format("interrupted: phase \"{}\" is not started", config_.phases[phase.index].name));
    throw process::Interrupted{};
  }
  thresholds_.emplace(config_, phase.index, reports);
  PhaseLoad phase_load{config_.phases[phase.index], phase.wire_index, start_phase(phase),
                       config_.drain_timeout_sec,   std::nullopt,     !config_.phases[phase.index].warmup};
  // The producers' schedules hold whole records.
  if (phase.records_expected)
    phase_load.expected_records = static_cast<std::uint64_t>(std::llround(*phase.records_expected));
  outputs_.begin_phase(phase.index);
  const Ended ended = carry_out(phase_load);
  measure::PhaseReport report = fold_->settle(ended.outcome);
  settle_thresholds(phase, report);
  report.notes.insert(report.notes.end(), clock_notes_.begin(), clock_notes_.end());
  reports.push_back(std::move(report));
  outputs_.end_phase(phase.index, reports.back());
  ended.rethrow();
  return !thresholds_->ends_the_run();
}

void PhaseRunner::settle_thresholds(const config::PhasePlan& phase, measure::PhaseReport& report) {
  thresholds_->settle(*fold_, report);
  const std::size_t left = config_.phases.size() - phase.index - 1;
  if (!thresholds_->ends_the_run() || left == 0) return;
  report.notes.push_back(fmt::format("a threshold ended the run here: the {} after this did not run",
                                     left == 1 ? "phase" : fmt::format("{} phases", left)));
}

void PhaseRunner::preload(std::vector<std::string>& notes) {
  const config::Phase phase = config::preload_phase(config_);
  const double drain_timeout_sec = config_.drain_timeout_sec + phase.duration_sec;
  outputs_.begin_preload();
  const Ended ended = carry_out({phase, 0, start_preload(phase), drain_timeout_sec, std::nullopt});
  const measure::PhaseReport report = fold_->settle(ended.outcome);
  notes.push_back(fmt::format(
      "preload: {} of {} rows written in {} before the first phase; they are in the run's ledger and in no "
      "phase's figures",
      text::count_text(report.producer.records), text::count_text(*phase.records),
      text::sec_text(report.duration_sec)));
  notes.insert(notes.end(), report.notes.begin(), report.notes.end());
  outputs_.end_preload(notes.back());
  ended.rethrow();
  if (report.producer.records < *phase.records) {
    throw Error(ErrorKind::unavailable,
                fmt::format("preload: only {} of {} rows were written within {:.0f} s; is PostgreSQL stuck?",
                            report.producer.records, *phase.records, phase.duration_sec));
  }
  if (!all_drained_) {
    throw Error(
        ErrorKind::unavailable,
        fmt::format("preload: the sink had not acknowledged all {} rows after {:.0f} s; preload fewer "
                    "rows, or give it more time by drain.timeoutSec",
                    *phase.records, drain_timeout_sec));
  }
  if (!measure::is_clean(report.ledger)) {
    throw Error(ErrorKind::data,
                fmt::format("preload: the ledger is broken at the {}", report.ledger.broken_at));
  }
}

void PhaseRunner::Ended::rethrow() const {
  if (broken) std::rethrow_exception(broken);
  if (outcome == Outcome::interrupted) throw process::Interrupted{};
}

/// With no load on: it would be part of what is measured. One that fails leaves the last one standing.
void PhaseRunner::compare_clocks() {
  struct Answer {
    std::optional<wire::ClockOffset> offset;
    bool arrived = false;
  };
  const auto answer = std::make_shared<Answer>();  // may outlive the wait
  sampling_.submit(
      [answer](pqxx::connection& connection) { answer->offset = postgres::compare_clocks(connection); },
      [answer](const std::exception_ptr&) { answer->arrived = true; });
  (void)loop_.wait(kClockTimeout, kEndNow, [&answer] { return answer->arrived; });
  if (answer->arrived && answer->offset) clocks_.own(*answer->offset);
}

/// The failure, and what the run's sessions wait for at the server: a commit or a marker that nobody answers
/// is seen here as a silence alone.
std::exception_ptr PhaseRunner::with_waits(const Error& error) const {
  if (error.kind() != ErrorKind::unavailable || !server_failure_().empty()) return std::current_exception();
  const std::string waits = database_.waits_of_sessions();
  if (waits.empty()) return std::current_exception();
  return std::make_exception_ptr(Error(error.kind(), fmt::format("{}; {}", error.what(), waits)));
}

/// After the load, the workers' comparisons included: what the clocks did meanwhile.
void PhaseRunner::compare_clocks_again() {
  const measure::ClockBook before = clocks_;
  set_by_us_["orchestrator"] = clock_.wall_set_by_us();
  compare_clocks();
  (void)loop_.wait(kClockTimeout, kEndNow, [this, &before] {
    return std::all_of(workers_.all().begin(), workers_.all().end(), [&](const auto& worker) {
      return compared_.contains(worker->name()) || !before.knows(worker->name());
    });
  });
  for (const auto& [name, offset] : compared_) {
    if (offset) clocks_.worker(name, *offset);
  }
  clock_notes_ = clocks_.moved_since(before);
  std::string set = measure::wall_clocks_set_text(set_by_us_);
  if (!set.empty()) clock_notes_.push_back(std::move(set));
}

PhaseRunner::Ended PhaseRunner::carry_out(const PhaseLoad& phase_load) {
  compare_clocks();
  clock_.follow();
  clock_notes_.clear(), compared_.clear(), set_by_us_.clear();
  fold_ = std::make_unique<measure::PhaseFold>(facts_of(phase_load));
  ready_.clear(), load_finished_.clear(), results_.clear();
  all_drained_ = true;
  drained_ = false;
  phase_on_ = phase_load.wire_index;
  PhaseWatch watch(
      loop_, sampling_, config_.consumer.slot_name, config_.database.profiling_database, clock_, *fold_,
      [this](const measure::Second& second) {
        outputs_.show(second);
        if (thresholds_) thresholds_->look(*fold_);
      },
      [this] { database_.hold(); }, target_);
  Ended ended;
  if (phase_load.is_judged) begin_profile(phase_load, watch);
  try {
    start(phase_load);
    ended.outcome = run_load(phase_load);
    end_load(phase_load);
    drain(phase_load);
  } catch (const process::Interrupted&) {
    ended = {Outcome::interrupted, std::current_exception()};
  } catch (const Error& error) {
    ended = {Outcome::failed, with_waits(error)};
    database_.give_up();
    target_.give_up();
    salvage(phase_load);
  }
  if (profiler_ != nullptr) profiler_->end_phase();
  if (doctor_ != nullptr) doctor_->end_phase();
  watch.finish();
  if (!ended.broken) compare_clocks_again();
  phase_on_.reset();
  broken_off_ = ended.broken != nullptr;
  return ended;
}

measure::PhaseFacts PhaseRunner::facts_of(const PhaseLoad& phase_load) const {
  measure::PhaseFacts facts;
  facts.phase = phase_load.phase;
  facts.expected_records = phase_load.expected_records;
  for (const auto& worker : workers_.all()) {
    (worker->role() == Role::producer ? facts.producers : facts.consumers)
        .push_back({worker->name(), worker->pid()});
  }
  facts.flush_concurrency_max = config_.consumer.max_flush_concurrency;
  facts.settings = {config_.producer, config_.consumer, config::sink_kind(config_), process::usable_cpus()};
  facts.own_clickhouse = target_.process().has_value();
  if (fold_) facts.carry_over = fold_->carry_over();
  return facts;
}

/// PostgreSQL's processes are known as soon as the first look at it is answered.
void PhaseRunner::begin_profile(const PhaseLoad& phase_load, PhaseWatch& watch) {
  std::vector<profile::Sampled> processes;
  std::vector<profile::Patient> patients;
  for (const auto& worker : workers_.all()) {
    const bool writes = worker->role() == Role::producer;
    using profile::doctor::Role;
    patients.push_back({worker->name(), writes ? Role::producer : Role::consumer, worker->pid()});
    if (!worker->pid()) continue;  // elsewhere
    processes.push_back({*worker->pid(), writes ? profile::kProducer : profile::kConsumer, worker->name()});
  }
  if (doctor_ != nullptr) doctor_->begin_phase(phase_load.phase.name, patients);
  if (profiler_ == nullptr) return;
  if (const auto server = target_.process())
    processes.push_back({static_cast<pid_t>(server->pid), profile::kClickhouse});
  profiler_->begin_phase(phase_load.phase.name, processes);
  watch.tell([this](const postgres::ServerSample& sample) {
    std::vector<profile::Sampled> server;
    for (const auto& process : sample.walsender) server.push_back({process.pid, profile::kWalsender});
    for (const auto& process : sample.backends) server.push_back({process.pid, profile::kBackends});
    profiler_->see(server);
  });
}

void PhaseRunner::start(const PhaseLoad& phase_load) {
  // Consumers first: they read while the first row is written.
  for (const Role role : {Role::consumer, Role::producer}) {
    workers_.send_to(role, phase_load.start);
    workers_.await(fmt::format("start phase \"{}\"", phase_load.phase.name), kReadyTimeout, kEndNow,
                   [this, role] { return workers_.all_in(ready_, role); });
  }
}

/// How long the batches under way may take to end. Those whose connection was lost wait for the server first.
double PhaseRunner::last_batches_sec() const {
  return config_.stop_grace_sec + config_.database.give_up_sec;
}

/// The load window. Producers end it by themselves, unless a threshold or a person does first.
Outcome PhaseRunner::run_load(const PhaseLoad& phase_load) {
  const Waited waited = workers_.wait(from_sec(phase_load.phase.duration_sec + last_batches_sec()),
                                      kSilenceMax, kEndEarly, [this] {
                                        require_server();
                                        return workers_.all_in(load_finished_, Role::producer) ||
                                               (thresholds_ && thresholds_->ends_the_run());
                                      });
  if (waited != Waited::interrupted) {
    const bool ended_early =
        thresholds_ && thresholds_->ends_the_run() && !workers_.all_in(load_finished_, Role::producer);
    if (!ended_early) return Outcome::passed;
    for (const measure::ThresholdResult& crossed : thresholds_->crossed()) {
      outputs_.say(fmt::format("threshold crossed: {} ({}): ending the load and draining",
                               report::expression_text(crossed), report::observed_text(crossed)));
    }
    return Outcome::thresholds_crossed;
  }
  outputs_.say("interrupted: ending the load and draining; Ctrl-C again stops at once");
  return Outcome::interrupted;
}

void PhaseRunner::end_load(const PhaseLoad& phase_load) {
  const bool all_over = workers_.all_in(load_finished_, Role::producer);
  const std::int64_t ended_unix_us = clock_.unix_us();
  workers_.send_to(Role::producer, end_phase(phase_load.wire_index, 0));
  workers_.await(fmt::format("end the load of phase \"{}\"", phase_load.phase.name),
                 from_sec(all_over ? config_.stop_grace_sec : last_batches_sec()), kEndNow, [this] {
                   require_server();
                   return workers_.all_in(results_, Role::producer);
                 });
  if (thresholds_) thresholds_->look(*fold_);  // the last second's
  fold_->load_ended(ended_unix_us);
}

/// Writes the phase's marker. A server that is lost meanwhile is waited for, as long as the workers live.
void PhaseRunner::mark_end(const PhaseLoad& phase_load) {
  struct Answer {
    bool arrived = false;
    std::exception_ptr error;
  };
  const auto answer = std::make_shared<Answer>();  // may outlive the wait
  database_.emit_marker(wire::phase_end_marker(run_id_, phase_load.wire_index),
                        [answer](std::exception_ptr error) {
                          answer->error = std::move(error);
                          answer->arrived = true;
                        });
  workers_.await("write the phase marker", database_.marker_timeout(), kEndNow, [this, &answer] {
    require_server();
    return answer->arrived;
  });
  if (answer->error) std::rethrow_exception(answer->error);
}

void PhaseRunner::drain(const PhaseLoad& phase_load) {
  const auto start = std::chrono::steady_clock::now();
  mark_end(phase_load);
  workers_.send_to(Role::consumer, end_phase(phase_load.wire_index, phase_load.drain_timeout_sec));
  workers_.await(fmt::format("drain phase \"{}\"", phase_load.phase.name),
                 from_sec(phase_load.drain_timeout_sec + config_.stop_grace_sec), kEndNow, [this] {
                   require_server();
                   return workers_.all_in(results_, Role::consumer);
                 });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  drained_ = all_drained_;
  fold_->drain_ended(all_drained_, took.count());
}

/// After a failure: lets the producers that still live end their batches and give their account, so that the
/// ledger of what is left can be settled.
void PhaseRunner::salvage(const PhaseLoad& phase_load) {
  workers_.send_to(Role::producer, end_phase(phase_load.wire_index, 0));
  (void)loop_.wait(kSalvageTimeout, kEndNow, [this] {
    for (const auto& worker : workers_.all()) {
      const bool owes = worker->role() == Role::producer && worker->failure().empty();
      if (owes && !results_.contains(worker->name())) return false;
    }
    return true;
  });
}

void PhaseRunner::on_frame(const WorkerProcess& worker, const proto::MetricsFrame& frame) {
  if (broken_off_) return;  // what workers still say of a phase that was given up
  if (frame.has_phase_ready() && frame.phase_ready().has_clock()) {
    clocks_.worker(worker.name(), wire::from_proto(frame.phase_ready().clock()));
  }
  if (frame.has_clock_compared()) {
    std::optional<wire::ClockOffset>& offset = compared_[worker.name()];
    if (frame.clock_compared().has_clock()) offset = wire::from_proto(frame.clock_compared().clock());
    return;
  }
  const auto on_own_clock = clocks_.on_own_clock(worker.name(), frame);
  const proto::MetricsFrame& told = on_own_clock ? *on_own_clock : frame;
  take(worker, told);
  if (doctor_ != nullptr) doctor_->take(worker.name(), told);
}

void PhaseRunner::take(const WorkerProcess& worker, const proto::MetricsFrame& frame) {
  switch (frame.body_case()) {
    case proto::MetricsFrame::kPhaseReady:
      expect(worker, frame.phase_ready().phase_index());
      fold_->ready(worker.name(), frame.phase_ready());
      ready_.insert(worker.name());
      return;
    case proto::MetricsFrame::kSample:
      expect(worker, frame.sample().phase_index());
      fold_->sample(worker.name(), frame.sample());
      if (frame.sample().producer().load_finished()) load_finished_.insert(worker.name());
      return;
    case proto::MetricsFrame::kPhaseResult:
      expect(worker, frame.phase_result().phase_index());
      fold_->result(worker.name(), frame.phase_result());
      set_by_us_[worker.name()] = frame.phase_result().wall_clock_set_by_us();
      results_.insert(worker.name());
      if (worker.role() == Role::consumer && !frame.phase_result().consumer().drained()) all_drained_ = false;
      return;
    default:
      throw Error(ErrorKind::protocol,
                  fmt::format("{} sent a frame that does not belong in a phase", worker.name()));
  }
}

/// Workers wait for a server that they have lost; one of our own does not come back.
void PhaseRunner::require_server() const {
  if (server_failure_().empty()) return;
  throw Error(ErrorKind::unavailable, "the phase was broken off with it");
}

/// A frame of another phase means that the worker and this run disagree about what happens.
void PhaseRunner::expect(const WorkerProcess& worker, unsigned phase_index) const {
  if (phase_on_ == phase_index) return;
  throw Error(ErrorKind::protocol,
              fmt::format("{} sent a frame of phase {} {}", worker.name(), phase_index,
                          phase_on_ ? fmt::format("in phase {}", *phase_on_) : "when no phase was on"));
}

}  // namespace walstorm::run
