#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "orchestrator/cli/cli.h"

/// What the files of this folder need of a command. Only they include it.
namespace walstorm {

/// The command line's raw words. Whether one was given is asked of CLI11, not of these.
struct Words {
  // Of any command: each says in `options` which of them it has a use for.
  std::string config_option, config_argument;
  std::string throughput, duration, workers, profile, output, name, seed, env_file, junit, top, baseline,
      pyroscope;
  std::vector<std::string> sets;
  bool mock = false, private_clickhouse = false, dry_run = false, verbose = false, quiet = false,
       no_color = false;
  // Of one or two:
  std::string key, precision, min, max, trial_duration, max_duration, phase, resume;  // search
  std::vector<std::string> vary;                                                      // sweep
  std::string mode, repeats;
  std::vector<std::string> base, candidate, fail_on;  // compare
  bool force = false;                                 // compare, clean
  std::string folder;                                 // report, list
  std::string profile_source, profile_base;           // profile, profile-diff
};

/// A command: what --help says of it, which words it takes and what it does. All text is for a terminal of
/// 100 columns.
struct CommandPage {
  Command command = Command::run;
  const char* name = "";
  const char* says = "";   ///< one sentence, without a full stop
  const char* usage = "";  ///< what may stand behind the name
  const char* about = "";  ///< what it does and what it tells, in a few lines
  /// The options of any command that this one has a use for, by their long names; CONFIG stands for the file.
  std::vector<std::string> options = {};
  const char* examples = "";    ///< each line can be run as it stands
  const char* exit_codes = "";  ///< empty: 0, or 2 for bad usage
  /// Of the others CONFIG is refused: it would be a folder too many.
  bool reads_config = false;
  /// Adds the options that are this command's alone; nullptr: none. `words` outlives the command.
  void (*describe)(CLI::App& command, Words& words) = nullptr;
  /// Fills in what they say. Returns what is wrong with them, empty when nothing is; nullptr: nothing to
  /// read.
  std::string (*read)(const CLI::App& command, const Words& words, CommandLine& line) = nullptr;
  /// Returns the exit code. Throws Error, and Interrupted before a run began.
  int (*carry_out)(const CommandLine& line) = nullptr;
};

[[nodiscard]] CommandPage run_command();
[[nodiscard]] CommandPage check_command();
[[nodiscard]] CommandPage clean_command();
[[nodiscard]] CommandPage search_command();
[[nodiscard]] CommandPage sweep_command();
[[nodiscard]] CommandPage compare_command();
[[nodiscard]] CommandPage report_command();
[[nodiscard]] CommandPage list_command();
[[nodiscard]] CommandPage profile_command();
[[nodiscard]] CommandPage profile_diff_command();

/// In the order in which --help lists them.
[[nodiscard]] const std::array<CommandPage, 10>& command_pages();
[[nodiscard]] const CommandPage& page_of(Command command);

/// The config as file, environment and flags make it, with `more` put over it: for a trial.
[[nodiscard]] config::Config resolve(const CommandLine& line, const std::vector<config::Override>& more = {});

[[nodiscard]] run::Display display_of(const CommandLine& line);

/// Prints text for a person on stdout, passwords hidden.
void show(const std::string& text);

}  // namespace walstorm
