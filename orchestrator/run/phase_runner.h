#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/fold/clock_book.h"
#include "orchestrator/measure/fold/phase_fold.h"
#include "orchestrator/measure/fold/phase_thresholds.h"
#include "orchestrator/postgres/prepared_database.h"
#include "orchestrator/profile/profiler.h"
#include "orchestrator/run/phase_watch.h"
#include "orchestrator/run/run_outputs.h"
#include "orchestrator/run/workers.h"
#include "orchestrator/target/target.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::run {

/// Once Ctrl-C has ended the load early, the next one ends the rest.
inline constexpr int kEndEarly = 0;
inline constexpr int kEndNow = 1;

/// Carries out phases, one after the other: start, load, marker, drain, report (DESIGN §4). Lives on the
/// loop; everything it is given outlives it.
class PhaseRunner final {
 public:
  PhaseRunner(process::EventLoop& loop, const config::Config& config, std::string run_id, Workers& workers,
              postgres::PreparedDatabase& database, target::Target& target, RunOutputs& outputs,
              std::function<std::string()> server_failure);

  /// Runs one phase and appends its report to `reports`, which hold those of the phases before, also when it
  /// is broken off: then it throws what broke it, wire::Error or process::Interrupted, afterwards. False when
  /// a threshold says that no further phase is to run.
  [[nodiscard]] bool run(const config::PhasePlan& phase, std::vector<measure::PhaseReport>& reports);

  /// Before the first phase: has producer.preloadRows rows written and drained, a phase_load of its own with
  /// a marker at its end, so that it is in the run's ledger and in no phase. Says in `notes` how it went.
  /// Throws as run() does, and Error when not all the rows got through.
  void preload(std::vector<std::string>& notes);

  /// PhaseReady, Sample and PhaseResult of any worker. Throws Error{protocol} for a frame of another phase
  /// than the one that is on.
  void on_frame(const WorkerProcess& worker, const proto::MetricsFrame& frame);

  /// Of the phase run last: what the run's ledgers are settled from. nullptr before the first.
  [[nodiscard]] const measure::PhaseFold* last() const { return fold_.get(); }
  /// How far each process's clock is ahead of PostgreSQL's, as last compared.
  [[nodiscard]] std::vector<measure::ClockReport> clocks() const { return clocks_.reports(); }
  /// The sink has acknowledged all changes before the last phase's marker: nothing of the run is on its way.
  [[nodiscard]] bool all_drained() const { return drained_; }

 private:
  using Role = WorkerProcess::Role;

  /// A phase, or the preload.
  struct PhaseLoad {
    config::Phase phase;
    unsigned wire_index = 0;
    proto::ControlFrame start;
    double drain_timeout_sec = 0;
    std::optional<std::uint64_t> expected_records;
    bool is_judged = false;
  };
  struct Ended {
    measure::Outcome outcome = measure::Outcome::passed;
    std::exception_ptr broken;
    void rethrow() const;
  };

  [[nodiscard]] Ended carry_out(const PhaseLoad& phase_load);
  [[nodiscard]] measure::PhaseFacts facts_of(const PhaseLoad& phase_load) const;
  void compare_clocks();
  void compare_clocks_again();
  void take(const WorkerProcess& worker, const proto::MetricsFrame& frame);
  void start(const PhaseLoad& phase_load);
  void begin_profile(const PhaseLoad& phase_load, PhaseWatch& watch);
  [[nodiscard]] double last_batches_sec() const;
  [[nodiscard]] measure::Outcome run_load(const PhaseLoad& phase_load);
  void end_load(const PhaseLoad& phase_load);
  void mark_end(const PhaseLoad& phase_load);
  void drain(const PhaseLoad& phase_load);
  void salvage(const PhaseLoad& phase_load);
  void settle_thresholds(const config::PhasePlan& phase, measure::PhaseReport& report);
  void require_server() const;
  [[nodiscard]] std::exception_ptr with_waits(const wire::Error& error) const;
  void expect(const WorkerProcess& worker, unsigned phase_index) const;

  process::EventLoop& loop_;
  const config::Config& config_;
  const std::string run_id_;
  Workers& workers_;
  postgres::PreparedDatabase& database_;
  target::Target& target_;
  RunOutputs& outputs_;
  const std::function<std::string()> server_failure_;  // why a private server is gone; empty while all run
  profile::Profiler* const profiler_;                  // null where nothing is profiled
  profile::Doctor* const doctor_;                      // null where nothing is examined
  postgres::Session sampling_;                         // looks at the server while the other session works

  wire::SystemClock system_clock_;
  wire::EvenClock clock_{system_clock_};  // follows the wall clock at the beginning of each phase
  measure::ClockBook clocks_;
  std::map<std::string, std::optional<wire::ClockOffset>> compared_;  // by the workers, after the phase
  std::map<std::string, std::int64_t> set_by_us_;                     // wall clocks within it, by process
  std::vector<std::string> clock_notes_;                              // of the phase
  std::optional<measure::PhaseThresholds> thresholds_;  // of the phase that is on; the preload has none
  std::unique_ptr<measure::PhaseFold> fold_;            // of the phase that is on, or was last
  std::optional<unsigned> phase_on_;                    // by its number on the wire
  // Who has answered what in it, by name.
  std::set<std::string> ready_, load_finished_, results_;
  bool all_drained_ = true;
  bool drained_ = false;
  bool broken_off_ = false;
};

}  // namespace walstorm::run
