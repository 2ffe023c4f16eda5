#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "orchestrator/cli/cli.h"

/// The commands that have options of their own, as CLI11 knows them. Only cli.cpp includes this.
namespace walstorm {

/// Their raw words. Whether one was given is asked of CLI11.
struct CommandWords {
  std::string key, precision, min, max, trial_duration, max_duration, phase, resume;  // search
  std::vector<std::string> vary;                                                      // sweep
  std::string mode, repeats;
  std::vector<std::string> base, candidate, fail_on;  // compare
  bool force = false;                                 // compare, clean
  std::string folder;                                 // report, list
};

/// Adds clean, search, sweep, compare, report and list to `app`; `words` outlives it.
void describe_commands(CLI::App& app, CommandWords& words);

/// `compare BASE... -- CANDIDATE...`: CLI11 would forget where the "--" stood, so an option takes its place.
[[nodiscard]] std::vector<std::string> with_named_candidates(int argc, const char* const* argv);

/// Fills in what the command that was given says. Returns what is wrong with it; empty when nothing is.
[[nodiscard]] std::string read_command(const CLI::App& app, const CommandWords& words, CommandLine& line);

/// "90", "90s", "1.5m", "2h" -> seconds.
[[nodiscard]] std::optional<double> seconds_in(const std::string& text);

}  // namespace walstorm
