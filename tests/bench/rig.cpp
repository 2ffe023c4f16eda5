#include "tests/bench/rig.h"

#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <sys/resource.h>

#include <pqxx/nontransaction>
#include <pqxx/result>

#include "orchestrator/config/environment.h"
#include "orchestrator/config/load.h"
#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/phase_fold.h"
#include "orchestrator/postgres/replication_setup.h"
#include "orchestrator/postgres/session.h"
#include "orchestrator/run/phase_watch.h"
#include "orchestrator/run/setup_frames.h"
#include "orchestrator/run/workers.h"
#include "proto/wire/error.h"

namespace walstorm::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

constexpr seconds kTimeout{120};
constexpr milliseconds kStopGrace{10'000};
constexpr std::uint32_t kNeverMs = 24 * 3600 * 1000;
constexpr const char* kWorker = "bench-worker";

std::map<std::string, std::string> with_quiet_checkpoints(std::map<std::string, std::string> settings) {
  settings.merge(std::map<std::string, std::string>{
      {"max_wal_size", "32GB"}, {"checkpoint_timeout", "1h"}, {"autovacuum", "off"}});
  return settings;
}

/// CPU time of all children that have ended and been waited for.
double children_cpu_sec() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto sec = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return sec(usage.ru_utime) + sec(usage.ru_stime);
}

double since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

/// What the orchestrator does beside a phase, all of it: looks at the server once a second, and folds what it
/// sees and what the worker sends.
class Observer final {
 public:
  using Role = run::WorkerProcess::Role;

  Observer(process::EventLoop& loop, const std::string& conninfo, const config::Config& config, Role role)
      : session_(loop, conninfo, "look at the server"),
        fold_(facts_of(config, role)),
        watch_(
            loop, session_, config.consumer.slot_name, "postgres", fold_, [](const auto&) {}, [] {}) {}

  void take(const proto::MetricsFrame& frame) {
    if (frame.has_phase_ready()) fold_.ready(kWorker, frame.phase_ready());
    if (frame.has_sample()) fold_.sample(kWorker, frame.sample());
    if (frame.has_phase_result()) fold_.result(kWorker, frame.phase_result());
  }

 private:
  static measure::PhaseFacts facts_of(const config::Config& config, Role role) {
    measure::PhaseFacts facts;
    facts.phase = config.phases.front();
    (role == Role::producer ? facts.producers : facts.consumers).push_back({kWorker, {}});
    return facts;
  }

  postgres::Session session_;
  measure::PhaseFold fold_;
  run::PhaseWatch watch_;
};

/// One worker through one phase.
class PhaseOfOne final {
 public:
  using Role = run::WorkerProcess::Role;

  PhaseOfOne(process::EventLoop& loop, const std::filesystem::path& log_dir, Role role, Metrics metrics)
      : workers_(loop, log_dir, [this](const auto&, const proto::MetricsFrame& frame) { take(frame); }),
        role_(role),
        metrics_(metrics) {}

  void set_up(proto::ControlFrame setup) {
    if (metrics_ == Metrics::once_at_end) setup.mutable_setup()->set_sample_interval_ms(kNeverMs);
    workers_.start(role_, kWorker).send(setup);
    await("set the worker up", [this] { return hello_; });
  }
  void observe(process::EventLoop& loop, const std::string& conninfo, const config::Config& config) {
    if (metrics_ == Metrics::all) observer_.emplace(loop, conninfo, config, role_);
  }
  void start(const proto::ControlFrame& start) {
    workers_.send_to(role_, start);
    await("start the phase", [this] { return ready_; });
  }
  void await_load() {
    await("end the load", [this] { return load_finished_; });
  }
  proto::PhaseResult end() {
    workers_.send_to(role_, run::end_phase(0, static_cast<double>(kTimeout.count())));
    await("end the phase", [this] { return result_.has_value(); });
    return *result_;
  }
  void stop() {
    observer_.reset();
    (void)workers_.stop(kStopGrace);
  }
  [[nodiscard]] std::size_t pipe_bytes() const { return pipe_bytes_; }

 private:
  void await(const char* what, const std::function<bool()>& done) { workers_.await(what, kTimeout, 0, done); }

  void take(const proto::MetricsFrame& frame) {
    pipe_bytes_ += frame.ByteSizeLong();
    if (observer_) observer_->take(frame);
    hello_ = hello_ || frame.has_hello();
    ready_ = ready_ || frame.has_phase_ready();
    load_finished_ = load_finished_ || frame.sample().producer().load_finished();
    if (frame.has_phase_result()) result_ = frame.phase_result();
  }

  run::Workers workers_;
  Role role_;
  Metrics metrics_;
  std::optional<Observer> observer_;
  std::size_t pipe_bytes_ = 0;
  bool hello_ = false;
  bool ready_ = false;
  bool load_finished_ = false;
  std::optional<proto::PhaseResult> result_;
};

}  // namespace

Rig::Rig(std::map<std::string, std::string> settings)
    : server_(loop_, with_quiet_checkpoints(std::move(settings)), folder_.path() / "postgres.log"),
      connection_(conninfo()) {}

void Rig::execute(const std::string& sql) {
  pqxx::nontransaction(connection_).exec(sql);
}

std::string Rig::ask(const std::string& sql) {
  return pqxx::nontransaction(connection_).exec(sql)[0][0].as<std::string>();
}

void Rig::make_task_run(const std::string& publication) {
  postgres::prepare_table(connection_, config::ReplicaIdentity::full, publication, "");
}

void Rig::drop_slot(const std::string& slot) {
  (void)postgres::drop_slot(connection_, slot, kStopGrace);
}

config::Config Rig::config(const std::map<std::string, std::string>& keys) {
  config::LoadRequest request;
  request.overrides.push_back({"bench ", "consumer.useMockClickhouse", "true"});
  for (const auto& [key, value] : keys) request.overrides.push_back({"bench ", key, value});
  const config::Environment none = [](const std::string&) -> std::optional<std::string> {
    return std::nullopt;
  };
  return config::load(request, none, "/");
}

Take Rig::produce(const config::Config& config, Metrics metrics) {
  const double cpu_before = children_cpu_sec();
  const auto start = Steady::now();
  PhaseOfOne phase(loop_, folder(), PhaseOfOne::Role::producer, metrics);
  phase.set_up(run::producer_setup(config, {kRunId, worker_conninfo("producer-0"), true, 0}, 0));
  phase.observe(loop_, conninfo(), config);
  phase.start(run::start_phase(config::plan_phases(config).front()));
  phase.await_load();
  const proto::ChangeTally produced = phase.end().producer().produced();
  Take take{since(start), 0, produced.inserts() + produced.updates() + produced.deletes(), 0};
  take.pipe_bytes_per_sec = static_cast<double>(phase.pipe_bytes()) / take.wall_sec;
  phase.stop();
  take.cpu_sec = children_cpu_sec() - cpu_before;
  return take;
}

Take Rig::drain(const config::Config& config, Metrics metrics) {
  const double cpu_before = children_cpu_sec();
  const auto start = Steady::now();
  PhaseOfOne phase(loop_, folder(), PhaseOfOne::Role::consumer, metrics);
  phase.set_up(run::consumer_setup(config, {kRunId, worker_conninfo("consumer-0"), true, 60'000}, 0));
  phase.observe(loop_, conninfo(), config);
  phase.start(run::start_phase(config::plan_phases(config).front()));
  const proto::ConsumerStats stats = phase.end().consumer();
  Take take{since(start), 0, stats.acknowledged().inserts(), 0};
  take.pipe_bytes_per_sec = static_cast<double>(phase.pipe_bytes()) / take.wall_sec;
  if (!stats.drained())
    throw wire::Error(wire::ErrorKind::unavailable, "drain the backlog: not done in time");
  phase.stop();
  take.cpu_sec = children_cpu_sec() - cpu_before;
  return take;
}

Take Rig::run(const std::vector<Command>& commands, std::uint64_t records) {
  const auto log_file = folder() / "commands.log";
  const double cpu_before = children_cpu_sec();
  const auto start = Steady::now();
  std::vector<std::unique_ptr<process::ChildProcess>> children;
  for (const Command& command : commands) {
    process::ChildOptions options;
    options.program = postgres::find_postgres_binaries() / command.program;
    options.arguments = command.arguments;
    options.log_file = log_file;
    children.push_back(std::make_unique<process::ChildProcess>(loop_, options));
  }
  const auto waited = loop_.wait(kTimeout, 0, [&] {
    for (const auto& child : children) {
      if (!child->ended()) return false;
    }
    return true;
  });
  Take take{since(start), 0, records, 0};
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (waited == process::Waited::done && children[i]->ended()->ok()) continue;
    throw wire::Error(
        wire::ErrorKind::unavailable,
        fmt::format("{} did not end well: {}", commands[i].program, process::last_lines(log_file, 20)));
  }
  take.cpu_sec = children_cpu_sec() - cpu_before;
  return take;
}

}  // namespace walstorm::bench
