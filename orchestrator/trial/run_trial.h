#pragma once

#include <filesystem>
#include <string>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/run_report.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/report/run_folder.h"
#include "orchestrator/run/run.h"
#include "orchestrator/trial/shared_servers.h"

namespace walstorm::trial {

/// One run against the command's servers, in a folder below the command's own; it shows nothing but its notes in
/// the logs. What the one before left in private servers is thrown away first.
///
/// As run::carry_out: what goes wrong in the run is in the report. Throws Error for an environment that was never
/// ready, and process::Interrupted.
[[nodiscard]] measure::RunReport run_trial(process::EventLoop& loop, SharedServers& servers,
                                           const report::RunFolder& folder, const config::Config& config);

/// That a command's progress is shown: a line, over the one before on a terminal.
class ProgressLine final {
 public:
  explicit ProgressLine(const run::Display& display) : display_(display) {}
  /// Takes the line off the terminal.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const std::string& line);
  /// A line that stays, above it.
  void print(const std::string& line);

 private:
  void clear();

  const run::Display display_;
  bool shown_ = false;
};

}  // namespace walstorm::trial
