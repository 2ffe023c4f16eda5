#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/live/live_view.h"
#include "orchestrator/measure/run_report.h"
#include "orchestrator/report/junit_xml.h"
#include "orchestrator/report/run_folder.h"
#include "orchestrator/run/run.h"

namespace walstorm::run {

/// All that a run shows and leaves: the live view, a line per phase, the summary, and the run folder.
class Presentation final {
 public:
  /// Makes the run folder. Throws Error{unavailable} when it cannot, Error{config} for a JUnit file that
  /// cannot be written. `config` outlives this.
  Presentation(const config::Config& config, const std::filesystem::path& output_dir, const Display& display,
               std::int64_t started_unix_us);
  Presentation(const Presentation&) = delete;
  Presentation& operator=(const Presentation&) = delete;

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

  /// Writes the run folder's files and prints the summary.
  void write_report(const measure::RunReport& report);
  /// Removes the folder of a run that never began.
  void discard();

 private:
  const config::Config& config_;
  const Display display_;
  std::optional<report::JunitFile> junit_;  // before the folder: without it there is to be none
  report::RunFolder folder_;
  std::vector<std::string> roles_;  // of timeseries.csv's columns
  std::ofstream timeseries_;
  std::unique_ptr<live::LiveView> live_;  // nullptr when quiet
  std::size_t first_phase_shown_ = 0;     // 1 when the live view has the preload in front
};

}  // namespace walstorm::run
