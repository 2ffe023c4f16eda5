#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <time.h>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/fold/phase_fold.h"
#include "orchestrator/postgres/session.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/run/phase_watch.h"
#include "orchestrator/run/workers.h"
#include "orchestrator/target/mock_target.h"

namespace walstorm::bench {

/// How closely a worker is watched in a phase.
struct Watching {
  /// Samples per second; 0 for the final figures alone.
  unsigned samples_per_sec = 1;
  /// As many orchestrators look at the server once a second each, and fold that and the Samples, which they
  /// get in turn.
  unsigned observers = 0;
};

/// A real worker process, phase after phase. Every wait has a deadline; what goes wrong is an Error.
class ObservedWorker final {
 public:
  using Role = run::WorkerProcess::Role;

  /// `conninfo` is what the server is looked at by. The loop outlives this.
  ObservedWorker(process::EventLoop& loop, const std::filesystem::path& log_dir, Role role,
                 config::Config config, std::string conninfo);
  ObservedWorker(const ObservedWorker&) = delete;
  ObservedWorker& operator=(const ObservedWorker&) = delete;

  void set_up(const proto::ControlFrame& setup);

  /// The config's first phase as number `index` of the run, watched like this until it ends.
  void start_phase(unsigned index, const Watching& watching);
  /// Until a producer has made all its load.
  void await_load();
  /// The phase's result; an Error when a consumer's sink had not acknowledged all of it in time.
  proto::PhaseResult end_phase();

  void stop();

  /// CPU time of the process so far, user and system, by its CPU clock.
  [[nodiscard]] double cpu_sec() const;
  /// What it sent over its pipe so far.
  [[nodiscard]] std::size_t pipe_bytes() const { return pipe_bytes_; }

 private:
  /// What the orchestrator does beside a phase, all of it.
  struct Observer {
    wire::SystemClock clock;
    wire::EvenClock even_clock{clock};
    measure::PhaseFold fold;
    target::MockTarget target;
    run::PhaseWatch watch;
    Observer(process::EventLoop& loop, postgres::Session& session, const config::Config& config, Role role);
    void take(const proto::MetricsFrame& frame);
  };

  void await(const char* what, const std::function<bool()>& done);
  void take(const proto::MetricsFrame& frame);

  process::EventLoop& loop_;
  config::Config config_;
  Role role_;
  std::string conninfo_;
  std::vector<std::unique_ptr<postgres::Session>> sessions_;  // of the observers, kept between phases
  run::Workers workers_;
  clockid_t cpu_clock_{};
  unsigned phase_ = 0;
  std::vector<std::unique_ptr<Observer>> observers_;
  std::size_t samples_ = 0;
  std::size_t pipe_bytes_ = 0;
  bool hello_ = false;
  bool ready_ = false;
  bool load_finished_ = false;
  std::optional<proto::PhaseResult> result_;
};

}  // namespace walstorm::bench
