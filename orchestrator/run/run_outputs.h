#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/profile/doctor.h"
#include "orchestrator/profile/profiler.h"
#include "orchestrator/report/junit_xml.h"
#include "orchestrator/report/output.h"
#include "orchestrator/report/run_folder.h"
#include "orchestrator/run/run.h"
#include "orchestrator/run/terminal_output.h"
#include "orchestrator/run/timeseries_file.h"
#include "orchestrator/run/worker_process.h"

namespace walstorm::run {

/// All that a run shows and leaves: the terminal and the run folder's files, each an Output of its own. None
/// of them holds up the loop while a phase is on, and one that cannot be written costs no other.
class RunOutputs final {
 public:
  /// Makes the run folder. Throws Error{unavailable} when it cannot, and leaves none then; Error{config} for
  /// a JUnit file that cannot be written. `loop` and `config` outlive this.
  RunOutputs(process::EventLoop& loop, const config::Config& config, const std::filesystem::path& output_dir,
             const Display& display, std::int64_t started_unix_us);
  RunOutputs(const RunOutputs&) = delete;
  RunOutputs& operator=(const RunOutputs&) = delete;

  /// What profiles the run; nullptr when nothing does. The first call tries what can be recorded. Throws
  /// process::Interrupted.
  [[nodiscard]] profile::Profiler* profiler();
  /// What examines the workers; nullptr when nothing does.
  [[nodiscard]] profile::Doctor* doctor() { return doctor_ ? &*doctor_ : nullptr; }

  /// What a worker of that name is to be started with for its profile. Makes the profiler, as profiler()
  /// does.
  [[nodiscard]] std::vector<std::string> worker_variables(WorkerProcess::Role role, const std::string& name);

  [[nodiscard]] std::filesystem::path log_dir() const { return folder_.logs(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  /// What is being done now, a line; nothing when quiet.
  void say(const std::string& line);
  /// The preload is shown as a phase is; `line` says how it went.
  void begin_preload();
  void end_preload(const std::string& line);
  void begin_phase(std::size_t phase_index);
  /// One second of the phase: to timeseries.csv and the live view.
  void show(const measure::Second& second);
  void end_phase(std::size_t phase_index, const measure::PhaseReport& report);

  /// Nothing is measured any more: what was profiled is read. The summary first, then the run folder's files,
  /// then what of them could not be written. `report` gets a note when seconds are missing, and the exit code
  /// of a run whose results are not all there. Never throws.
  void conclude(measure::RunReport& report);
  /// Removes the folder of a run that never began.
  void discard();

 private:
  process::EventLoop& loop_;
  const config::Config& config_;
  const Display display_;
  std::optional<report::JunitFile> junit_;  // before the folder: without it there is to be none
  report::RunFolder folder_;
  TerminalOutput terminal_;
  std::unique_ptr<TimeseriesFile> timeseries_;
  std::unique_ptr<profile::Profiler> profiler_;
  std::optional<profile::Doctor> doctor_;
  report::Outputs outputs_;  // the files that are written at the end, and what becomes of every output
};

}  // namespace walstorm::run
