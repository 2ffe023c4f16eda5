#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "orchestrator/cli/command.h"

/// The texts of --help, for a terminal of 100 columns.
namespace walstorm {

/// What the program is, its commands with a sentence each, and the options that are used most.
[[nodiscard]] std::string program_help(const CLI::App& app);

/// One command, with its own options and no others. `app` is the whole program.
[[nodiscard]] std::string command_help(const CLI::App& app, const CommandPage& page);

}  // namespace walstorm
