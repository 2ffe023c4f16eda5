#include "tests/bench/observed_worker.h"

#include <chrono>
#include <utility>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/fleet/local_launcher.h"
#include "orchestrator/run/setup_frames.h"
#include "proto/wire/error.h"

namespace walstorm::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kTimeout{120};
constexpr milliseconds kStopGrace{10'000};
constexpr const char* kWorker = "bench-worker";

measure::PhaseFacts facts_of(const config::Config& config, ObservedWorker::Role role) {
  measure::PhaseFacts facts;
  facts.phase = config.phases.front();
  (role == ObservedWorker::Role::producer ? facts.producers : facts.consumers).push_back({kWorker, {}});
  return facts;
}

}  // namespace

ObservedWorker::Observer::Observer(process::EventLoop& loop, postgres::Session& session,
                                   const config::Config& config, Role role)
    : fold(facts_of(config, role)),
      target(config),
      watch(
          loop, session, config.consumer.slot_name, "postgres", even_clock, fold, [](const auto&) {}, [] {},
          target) {}

void ObservedWorker::Observer::take(const proto::MetricsFrame& frame) {
  if (frame.has_phase_ready()) fold.ready(kWorker, frame.phase_ready());
  if (frame.has_sample()) fold.sample(kWorker, frame.sample());
  if (frame.has_phase_result()) fold.result(kWorker, frame.phase_result());
}

ObservedWorker::ObservedWorker(process::EventLoop& loop, const std::filesystem::path& log_dir, Role role,
                               config::Config config, std::string conninfo)
    : loop_(loop),
      config_(std::move(config)),
      role_(role),
      conninfo_(std::move(conninfo)),
      workers_(loop, std::make_unique<fleet::LocalLauncher>(process::Variables::needed), log_dir,
               [this](const auto&, const proto::MetricsFrame& frame) { take(frame); }) {}

void ObservedWorker::set_up(const proto::ControlFrame& setup) {
  run::WorkerProcess& worker = workers_.start(role_, kWorker);
  if (::clock_getcpuclockid(worker.pid().value(), &cpu_clock_) != 0)
    throw wire::Error(wire::ErrorKind::internal, "read the worker's CPU clock");
  worker.send(setup);
  await("set the worker up", [this] { return hello_; });
}

void ObservedWorker::start_phase(unsigned index, const Watching& watching) {
  phase_ = index;
  ready_ = load_finished_ = false;
  result_.reset();
  while (sessions_.size() < watching.observers)
    sessions_.push_back(std::make_unique<postgres::Session>(loop_, conninfo_, "look at the server"));
  for (unsigned i = 0; i < watching.observers; ++i)
    observers_.push_back(std::make_unique<Observer>(loop_, *sessions_[i], config_, role_));
  proto::ControlFrame frame = run::start_phase(config::plan_phases(config_).front());
  frame.mutable_start_phase()->set_phase_index(index);
  const unsigned rate = watching.samples_per_sec;
  frame.mutable_start_phase()->set_sample_interval_ms(rate == 0 ? 0 : 1000 / rate);
  workers_.send_to(role_, frame);
  await("start the phase", [this] { return ready_; });
}

void ObservedWorker::await_load() {
  await("end the load", [this] { return load_finished_; });
}

proto::PhaseResult ObservedWorker::end_phase() {
  workers_.send_to(role_, run::end_phase(phase_, static_cast<double>(kTimeout.count())));
  await("end the phase", [this] { return result_.has_value(); });
  observers_.clear();
  if (role_ == Role::consumer && !result_->consumer().drained())
    throw wire::Error(wire::ErrorKind::unavailable, "drain the backlog: not done in time");
  return *result_;
}

void ObservedWorker::stop() {
  observers_.clear();
  (void)workers_.stop(kStopGrace);
}

double ObservedWorker::cpu_sec() const {
  timespec used{};
  if (::clock_gettime(cpu_clock_, &used) != 0)
    throw wire::Error(wire::ErrorKind::internal, "read the worker's CPU clock");
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

void ObservedWorker::await(const char* what, const std::function<bool()>& done) {
  workers_.await(what, kTimeout, 0, done);
}

void ObservedWorker::take(const proto::MetricsFrame& frame) {
  pipe_bytes_ += frame.ByteSizeLong();
  if (frame.has_sample() && !observers_.empty()) {
    observers_[samples_++ % observers_.size()]->take(frame);
  } else {
    for (const auto& observer : observers_) observer->take(frame);
  }
  hello_ = hello_ || frame.has_hello();
  ready_ = ready_ || frame.has_phase_ready();
  load_finished_ = load_finished_ || frame.sample().producer().load_finished();
  if (frame.has_phase_result()) result_ = frame.phase_result();
}

}  // namespace walstorm::bench
