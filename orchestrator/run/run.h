#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/extras.h"

namespace walstorm::run {

/// How a run shows itself.
struct Display {
  bool quiet = false;    ///< nothing but the end's summary and errors
  bool verbose = false;  ///< the orchestrator's own log on stderr too
  bool colour = false;
  bool terminal = false;  ///< stdout is one: the live view is redrawn in place
  bool summary = true;    ///< at the end, on stdout
  /// Told every second of a phase, in place of a live view; may be empty.
  std::function<void(const measure::Second&)> on_second = {};
  /// Told at the end what of the run's files could not be written; may be empty.
  std::function<void(const std::vector<std::string>&)> on_not_written = {};
  /// Where the outcome goes as JUnit XML, beside the run folder; nullopt: nowhere.
  std::optional<std::filesystem::path> junit_file = {};
  /// For a run that profiles.
  profile::Extras profile = {};
};

/// START HERE. Carries out one run from its resolved config to its report and run folder: prepares
/// PostgreSQL, starts the workers, runs the phases, settles the ledgers, leaves everything clean, writes the
/// report below `output_dir`.
///
/// Never throws for what goes wrong in a run: the report's outcome, failure and exit code say it. The only
/// exceptions are those of an environment that was never ready (Error{unavailable}, Error{config} before the
/// workers start, or an unwritable JUnit file), when there is nothing to report and no folder is left.
///
/// `lent_server_failure` says why a private server that the caller keeps for several runs is gone, and is
/// empty while all run: this run ends with it, and names it.
[[nodiscard]] measure::RunReport carry_out(process::EventLoop& loop, const config::Config& config,
                                           const std::filesystem::path& output_dir, const Display& display,
                                           std::function<std::string()> lent_server_failure = {});

}  // namespace walstorm::run
