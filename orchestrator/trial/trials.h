#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/config/load.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/process/terminal.h"
#include "orchestrator/report/output.h"
#include "orchestrator/report/run_folder.h"
#include "orchestrator/run/run.h"
#include "orchestrator/trial/progress_line.h"
#include "orchestrator/trial/shared_servers.h"
#include "orchestrator/trial/trial.h"

namespace walstorm::trial {

/// The config that the command line names, with something put over it. Throws as config::load.
using Resolve = std::function<config::Config(const std::vector<config::Override>&)>;

/// The runs of one command: their servers, the folder that holds theirs and the command's own reports, and
/// the line that says how it goes. One after another, never two at once. Lives on the loop.
class Trials final {
 public:
  /// Makes the folder `<output>/<name>-<command>-<time>/`, or goes on in the one of `resume`, and starts the
  /// private servers that `base` wants. Throws Error{unavailable}, or Error{config} for a folder that is not
  /// there.
  Trials(process::EventLoop& loop, const config::Config& base, const std::string& command,
         const std::optional<std::filesystem::path>& resume, const run::Display& display);

  /// Carries out one run with its config against the command's servers; what the one before left in a private
  /// ClickHouse is thrown away first. `doing` stands in the progress line. What goes wrong in the run is in
  /// the report; throws Error for an environment that is not ready, a private server that has ended among it,
  /// and process::Interrupted before the run began.
  [[nodiscard]] measure::RunReport carry_out(const config::Config& config, const std::string& doing);

  /// The lag's p50 of each second of the last run's judged load, in milliseconds: its first seconds, in which
  /// the pipe fills, and the drain left out.
  [[nodiscard]] const std::vector<double>& lag_ms() const { return lag_ms_; }
  [[nodiscard]] const report::RunFolder& folder() const { return folder_; }
  [[nodiscard]] ProgressLine& progress() { return progress_; }
  /// What of the command's own files, and of its runs', could not be written.
  [[nodiscard]] report::Outputs& outputs() { return outputs_; }
  /// The result first, then `write` for the command's files, then what could not be written. Returns what the
  /// command exits with. Never throws but for what ends the program.
  [[nodiscard]] int conclude(const std::function<std::string()>& result, const std::function<void()>& write,
                             int exit_code);
  [[nodiscard]] bool interrupted() const { return loop_.interrupts() > 0; }

 private:
  void take(const measure::Second& second);

  process::EventLoop& loop_;
  const run::Display display_;
  report::RunFolder folder_;
  process::Terminal terminal_;
  ProgressLine progress_;
  report::Outputs outputs_;
  SharedServers servers_;
  std::string phase_;  // the one that is on
  std::vector<double> lag_ms_;
};

}  // namespace walstorm::trial
