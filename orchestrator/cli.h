#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "orchestrator/config/load.h"

namespace walstorm {

enum class Command { run, check, clean };
enum class Verbosity { quiet, normal, verbose };

/// What the command line asks for.
struct CommandLine {
  Command command = Command::run;
  config::LoadRequest request;  ///< for config::load: the file and what the flags put over it
  std::optional<std::filesystem::path> junit_file;
  bool dry_run = false;
  bool color = true;  ///< false: never; true: where the terminal takes it
  Verbosity verbosity = Verbosity::normal;
};

/// The command line is answered already: help, version, or what is wrong with it.
struct Answer {
  std::string text;   ///< ends with a line break; for stdout when exit_code is 0, else for stderr
  int exit_code = 0;  ///< 0 or 2
};

/// Reads argv. A flag left out leaves no trace: it must never override the file with a default.
[[nodiscard]] std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv);

}  // namespace walstorm
