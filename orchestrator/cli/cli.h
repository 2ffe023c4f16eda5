#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "orchestrator/compare/compare.h"
#include "orchestrator/config/load.h"
#include "orchestrator/profile/extras.h"
#include "orchestrator/search/search.h"
#include "orchestrator/sweep/sweep.h"

namespace walstorm {

enum class Command { run, check, clean, search, sweep, compare, report, list, profile, profile_diff };
enum class Verbosity { quiet, normal, verbose };

/// What the command line asks for.
struct CommandLine {
  Command command = Command::run;
  config::LoadRequest request;  ///< for config::load: the file and what the flags put over it
  std::optional<std::filesystem::path> junit_file;
  // Of the command that has them:
  search::Options search = {};
  sweep::Options sweep = {};
  compare::Options compare = {};
  profile::Extras profile = {};              ///< of run, and of the commands that read profiles
  std::string profile_source, profile_base;  ///< of profile and profile-diff
  std::filesystem::path output_dir;          ///< for commands that read no config
  std::filesystem::path folder;              ///< of report and list; empty: where runs go
  bool dry_run = false;
  bool force = false;  ///< of clean
  bool color = true;   ///< false: never; true: where the terminal takes it
  Verbosity verbosity = Verbosity::normal;
};

/// The command line is answered already: help, version, or what is wrong with it.
struct Answer {
  std::string text;   ///< ends with a line break; for stdout when exit_code is 0, else for stderr
  int exit_code = 0;  ///< 0 or 2
};

/// Reads argv. A flag left out leaves no trace: it must never override the file with a default.
[[nodiscard]] std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv);

/// Does what it asks for. Returns the exit code. Throws Error, and Interrupted before a run began.
[[nodiscard]] int carry_out(const CommandLine& line);

}  // namespace walstorm
