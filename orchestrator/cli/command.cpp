#include "orchestrator/cli/command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

#include "orchestrator/config/json/secrets.h"
#include "orchestrator/measure/figures/figures.h"
#include "proto/postgres/environment.h"

namespace walstorm {
namespace {

/// A config may name PostgreSQL's variables too, which stand in the process's environment no longer.
config::Environment environment() {
  return [process = config::process_environment()](const std::string& name) -> std::optional<std::string> {
    const postgres::Variables& taken = postgres::take_postgres_variables();
    const auto found = taken.find(name);
    if (found == taken.end()) return process(name);
    return found->second.empty() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

}  // namespace

const std::array<CommandPage, 10>& command_pages() {
  static const std::array<CommandPage, 10> pages{
      run_command(),     check_command(),  clean_command(), search_command(),  sweep_command(),
      compare_command(), report_command(), list_command(),  profile_command(), profile_diff_command()};
  return pages;
}

const CommandPage& page_of(Command command) {
  return *std::find_if(command_pages().begin(), command_pages().end(),
                       [command](const CommandPage& page) { return page.command == command; });
}

config::Config resolve(const CommandLine& line, const std::vector<config::Override>& more) {
  config::LoadRequest request = line.request;
  request.overrides.insert(request.overrides.end(), more.begin(), more.end());
  return config::load(request, environment(), std::filesystem::current_path(), measure::figure_names());
}

run::Display display_of(const CommandLine& line) {
  run::Display display;
  display.quiet = line.verbosity == Verbosity::quiet;
  display.terminal = ::isatty(STDOUT_FILENO) == 1;
  display.colour = line.color && display.terminal;
  display.junit_file = line.junit_file;
  display.profile = line.profile;
  return display;
}

void show(const std::string& text) {
  fmt::print(stdout, "{}", config::hide_secrets(text));
}

int carry_out(const CommandLine& line) {
  return page_of(line.command).carry_out(line);
}

}  // namespace walstorm
