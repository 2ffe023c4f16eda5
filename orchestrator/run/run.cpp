#include "orchestrator/run/run.h"

#include <chrono>
#include <exception>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <set>
#include <unistd.h>
#include <utility>
#include <vector>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/fleet/local_launcher.h"
#include "orchestrator/measure/judge/threshold.h"
#include "orchestrator/measure/ledger/ledger.h"
#include "orchestrator/postgres/prepared_database.h"
#include "orchestrator/process/private_folder.h"
#include "orchestrator/run/content_check.h"
#include "orchestrator/run/environment.h"
#include "orchestrator/run/make_target.h"
#include "orchestrator/run/phase_runner.h"
#include "orchestrator/run/run_outputs.h"
#include "orchestrator/run/setup_frames.h"
#include "orchestrator/run/workers.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::run {
namespace {

using measure::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Error;
using wire::ErrorKind;
using Role = WorkerProcess::Role;

constexpr seconds kHelloTimeout{40};
/// How long a lost connection waits for the news that the private server itself has ended.
constexpr milliseconds kServerEndGrace{500};
/// After a second Ctrl-C each rung of the stop ladder gets no more than this.
constexpr milliseconds kStopNowGrace{1000};

measure::RunReport started_now() {
  measure::RunReport report;
  report.started_at_unix_us = wire::SystemClock().unix_us();
  report.outcome = Outcome::passed;
  report.exit_code = 0;
  return report;
}

class Run final {
 public:
  Run(process::EventLoop& loop, const config::Config& config, const std::filesystem::path& output_dir,
      const Display& display, std::function<std::string()> lent_server_failure);

  measure::RunReport carry_out();

 private:
  // The steps of a run, in their order.
  void prepare_postgres();
  void prepare_target();
  void start_workers();
  void run_phases();
  void settle_ledgers();
  void check_content();
  void compare_landed();
  void stop_workers();
  void release_servers();
  void conclude();

  void on_frame(const WorkerProcess& worker, const proto::MetricsFrame& frame);
  void note(const std::vector<std::string>& notes);
  void guarded(void (Run::*step)());
  void fail(const Error& error);
  [[nodiscard]] bool end_now() const { return loop_.interrupts() > kEndNow; }
  [[nodiscard]] std::string server_failure() const;

  process::EventLoop& loop_;
  const config::Config& config_;
  const std::vector<config::PhasePlan> plan_;
  const std::string run_id_;
  const std::function<std::string()> lent_server_failure_;  // empty: none is lent
  measure::RunReport report_ = started_now();
  RunOutputs outputs_;
  const std::unique_ptr<target::Target> target_;
  std::unique_ptr<postgres::PreparedDatabase> database_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<PhaseRunner> phases_;
  ContentCheck content_;
  std::set<std::string> hello_;  // who has answered, by name
};

Run::Run(process::EventLoop& loop, const config::Config& config, const std::filesystem::path& output_dir,
         const Display& display, std::function<std::string()> lent_server_failure)
    : loop_(loop),
      config_(config),
      plan_(config::plan_phases(config)),
      run_id_(fmt::format("{:x}-{}", wire::SystemClock().unix_us(), ::getpid())),
      lent_server_failure_(std::move(lent_server_failure)),
      outputs_(loop, config, output_dir, display, report_.started_at_unix_us),
      target_(make_target(loop, config, outputs_.log_dir())) {
  report_.name = config.name;
  report_.folder = outputs_.folder().string();
  report_.config = config;
}

measure::RunReport Run::carry_out() {
  try {
    prepare_postgres();
    prepare_target();
  } catch (const Error& error) {
    outputs_.discard();  // nothing has run, so there is nothing to report
    const std::string why = lent_server_failure_ ? lent_server_failure_() : "";
    if (why.empty()) throw;
    throw Error(error.kind(), why + "\n" + error.what());
  } catch (...) {
    outputs_.discard();
    throw;
  }
  guarded(&Run::start_workers);
  guarded(&Run::run_phases);
  guarded(&Run::settle_ledgers);
  guarded(&Run::check_content);
  guarded(&Run::compare_landed);
  guarded(&Run::stop_workers);
  guarded(&Run::release_servers);
  conclude();
  return report_;
}

void Run::prepare_postgres() {
  outputs_.say("preparing PostgreSQL");
  (void)process::temporary_folder();  // workers need it in mid-run, or nobody does: as walstorm check says
  report_.environment = describe_machine();
  database_ = std::make_unique<postgres::PreparedDatabase>(loop_, config_, outputs_.log_dir(), report_.notes);
  if (const auto& folder = database_->data_folder()) check_free_space(*folder, config_, plan_, *target_);
  report_.environment.postgres_version = database_->facts().version;
  report_.environment.postgres_settings = database_->facts().settings;
}

void Run::prepare_target() {
  if (const std::string name = target_->server_name(); !name.empty()) outputs_.say("preparing " + name);
  target_->prepare(report_.notes);
  report_.environment.clickhouse_version = target_->version();
}

void Run::start_workers() {
  outputs_.say("starting the workers");
  const auto variables =
      database_->on_private_server() ? process::Variables::needed : process::Variables::libpq;
  workers_ = std::make_unique<Workers>(
      loop_, std::make_unique<fleet::LocalLauncher>(variables), outputs_.log_dir(),
      [this](const WorkerProcess& worker, const proto::MetricsFrame& frame) { on_frame(worker, frame); },
      [this](Role role, const std::string& name) { return outputs_.worker_variables(role, name); });
  const auto facts_for = [this](const std::string& worker) {
    return SetupFacts{run_id_, database_->conninfo(kApplicationPrefix + worker),
                      database_->on_private_server(), database_->facts().wal_sender_timeout_ms};
  };
  workers_->start(Role::consumer, consumer_name(0))
      .send(consumer_setup(config_, facts_for(consumer_name(0)), *target_, 0));
  for (unsigned i = 0; i < config_.producer.worker_count; ++i) {
    workers_->start(Role::producer, producer_name(i))
        .send(producer_setup(config_, facts_for(producer_name(i)), i));
  }
  workers_->await("start the workers", kHelloTimeout, kEndEarly,
                  [this] { return hello_.size() == workers_->all().size(); });
}

void Run::run_phases() {
  if (report_.outcome != Outcome::passed) return;
  phases_ = std::make_unique<PhaseRunner>(loop_, config_, run_id_, *workers_, *database_, *target_, outputs_,
                                          [this] { return server_failure(); });
  if (config_.producer.preload_rows > 0) phases_->preload(report_.notes);
  for (const config::PhasePlan& phase : plan_) {
    if (!phases_->run(phase, report_.phases)) return;  // a threshold has ended the run
  }
}

/// After a failure too: what can still be counted is.
void Run::settle_ledgers() {
  if (!phases_ || phases_->last() == nullptr) return;
  report_.changes = phases_->last()->run_ledger();
  measure::RowSides sides;
  sides.expected = phases_->last()->rows_expected();
  sides.in_transit = report_.changes.in_transit;
  if (!sides.expected || end_now()) return;
  outputs_.say("settling the ledger");
  sides.postgres = database_->tally_rows(sides.expected->rows, kEndNow);
  report_.rows = measure::settle_rows(sides);  // stands if the target does not answer
  sides.landed = target_->tally_rows(sides.expected->rows, kEndNow);
  sides.drained = phases_->all_drained();
  report_.rows = measure::settle_rows(sides);
}

void Run::check_content() {
  // Rows that could not be counted would not be found either.
  if (!report_.rows.postgres || report_.outcome == Outcome::failed || end_now()) return;
  report_.content = content_.check_postgres(*workers_, config_.producer.worker_count);
}

void Run::compare_landed() {
  if (!report_.content.sampled || !report_.rows.landed || end_now()) return;
  if (report_.outcome == Outcome::failed || !phases_->all_drained()) return;
  const auto payload_bytes = static_cast<std::uint64_t>(config_.producer.payload_size_kb * 1024);
  content_.compare_landed(*database_, *target_, payload_bytes, report_.content);
}

void Run::stop_workers() {
  outputs_.say("stopping");
  const auto grace = milliseconds(static_cast<std::int64_t>(config_.stop_grace_sec * 1000));
  if (workers_) note(workers_->stop(end_now() ? std::min(grace, kStopNowGrace) : grace));
  if (phases_) report_.environment.clocks = phases_->clocks();
  phases_.reset();
  workers_.reset();
}

void Run::release_servers() {
  note(target_->release());
  note(database_->release());
}

void Run::note(const std::vector<std::string>& notes) {
  report_.notes.insert(report_.notes.end(), notes.begin(), notes.end());
}

void Run::conclude() {
  if (report_.outcome != Outcome::failed && !measure::is_clean(report_)) {
    fail(Error(ErrorKind::data, "the ledger is broken: rows are missing, doubled or altered; it says where"));
  }
  if (report_.outcome != Outcome::failed && !report_.phases.empty()) {
    const std::string why = measure::why_not_landing(report_.phases.back());
    if (!why.empty()) fail(Error(ErrorKind::unavailable, why));
  }
  if (report_.outcome == Outcome::passed && !measure::thresholds_hold(report_)) {
    report_.outcome = Outcome::thresholds_crossed;
    report_.exit_code = 99;
  }
  if (report_.outcome == Outcome::interrupted) report_.exit_code = 130;
  report_.ended_at_unix_us = wire::SystemClock().unix_us();
  outputs_.conclude(report_);
}

void Run::on_frame(const WorkerProcess& worker, const proto::MetricsFrame& frame) {
  if (frame.has_hello()) {
    hello_.insert(worker.name());
  } else if (frame.has_content_checked()) {
    content_.take(worker.name(), frame.content_checked());
  } else if (phases_) {
    phases_->on_frame(worker, frame);
  } else {
    throw Error(ErrorKind::protocol, fmt::format("{} sent a frame of a phase before any", worker.name()));
  }
}

/// Whatever a step throws, the next ones follow: a report is written, and nothing is left behind.
void Run::guarded(void (Run::*step)()) {
  try {
    (this->*step)();
  } catch (const process::Interrupted&) {
    if (report_.outcome == Outcome::passed) report_.outcome = Outcome::interrupted;
  } catch (const Error& error) {
    fail(error);
  } catch (const std::exception& defect) {
    fail(Error(ErrorKind::internal, defect.what()));
  }
}

/// The first failure is the run's; what follows from it is in the logs.
void Run::fail(const Error& error) {
  if (std::exchange(report_.outcome, Outcome::failed) == Outcome::failed) return;
  report_.failure = error.what();
  report_.exit_code = error.kind() == ErrorKind::config ? 2 : 1;
  // A private server that ends takes the workers with it: its own end, seen a moment later, is the better
  // reason.
  if (!lent_server_failure_ && !database_->on_private_server() && !target_->process()) return;
  (void)loop_.wait(kServerEndGrace, kEndNow, [this] { return !server_failure().empty(); });
  const std::string why = server_failure();
  if (!why.empty()) report_.failure = why + "\n" + report_.failure;
}

std::string Run::server_failure() const {
  std::string why = database_->server_failure();
  if (why.empty()) why = target_->server_failure();
  return why.empty() && lent_server_failure_ ? lent_server_failure_() : why;
}

}  // namespace

measure::RunReport carry_out(process::EventLoop& loop, const config::Config& config,
                             const std::filesystem::path& output_dir, const Display& display,
                             std::function<std::string()> lent_server_failure) {
  return Run(loop, config, output_dir, display, std::move(lent_server_failure)).carry_out();
}

}  // namespace walstorm::run
