#include <cstdio>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <spdlog/spdlog.h>
#include <string>
#include <unistd.h>
#include <variant>

#include "orchestrator/check/check.h"
#include "orchestrator/cli/clean.h"
#include "orchestrator/cli/cli.h"
#include "orchestrator/cli/past_runs.h"
#include "orchestrator/config/json/secrets.h"
#include "orchestrator/config/load.h"
#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/figures/figures.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/process/signals.h"
#include "orchestrator/run/run.h"
#include "proto/postgres/environment.h"
#include "proto/wire/error.h"
#include "proto/wire/log.h"

namespace walstorm {
namespace {

constexpr int kBadConfig = 2;
constexpr int kNotReady = 3;
constexpr int kInterrupted = 130;

int exit_code_of(wire::ErrorKind kind) {
  switch (kind) {
    case wire::ErrorKind::config:
      return kBadConfig;
    case wire::ErrorKind::internal:
      return 1;
    default:
      return kNotReady;  // what can go wrong before a run begins is outside of it
  }
}

/// Text for a person.
void show(std::FILE* stream, const std::string& text) {
  fmt::print(stream, "{}", config::hide_secrets(text));
}

int carry_out_clean(const config::Config& config, const CleanOptions& options) {
  process::EventLoop loop;
  const auto found = clean(loop, config, options);
  for (const auto& line : found)
    show(stdout, fmt::format("{} {}\n", options.dry_run ? "found" : "removed", line));
  if (found.empty()) fmt::print("nothing left by earlier runs\n");
  return 0;
}

int carry_out_check(const config::Config& config) {
  process::EventLoop loop;
  const auto sections = check::look(loop, config);
  show(stdout, check::check_text(sections));
  return check::is_ready(sections) ? 0 : kNotReady;
}

run::Display display_of(const CommandLine& line) {
  run::Display display;
  display.quiet = line.verbosity == Verbosity::quiet;
  display.terminal = ::isatty(STDOUT_FILENO) == 1;
  display.colour = line.color && display.terminal;
  display.junit_file = line.junit_file;
  return display;
}

/// A config may name PostgreSQL's variables too, which stand in the process's environment no longer.
config::Environment environment() {
  return [process = config::process_environment()](const std::string& name) -> std::optional<std::string> {
    const postgres::Variables& taken = postgres::take_postgres_variables();
    const auto found = taken.find(name);
    if (found == taken.end()) return process(name);
    return found->second.empty() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

/// The config with more put over what the command line says: for a trial.
config::Config resolve(const CommandLine& line, const std::vector<config::Override>& more) {
  config::LoadRequest request = line.request;
  request.overrides.insert(request.overrides.end(), more.begin(), more.end());
  return config::load(request, environment(), std::filesystem::current_path(), measure::figure_names());
}

int carry_out_many(const CommandLine& line) {
  const auto resolve_more = [&line](const std::vector<config::Override>& more) {
    return resolve(line, more);
  };
  if (line.dry_run) {
    show(stdout, line.command == Command::search ? search::dry_run_text(resolve_more, line.search)
                                                 : sweep::dry_run_text(resolve_more, line.sweep));
    return 0;
  }
  process::EventLoop loop;
  return line.command == Command::search
             ? search::carry_out(loop, resolve_more, line.search, display_of(line))
             : sweep::carry_out(loop, resolve_more, line.sweep, display_of(line));
}

int carry_out(const CommandLine& line) {
  switch (line.command) {
    case Command::search:
    case Command::sweep:
      return carry_out_many(line);
    case Command::compare:
      return compare::carry_out(line.compare, display_of(line));
    case Command::report:
      return report_again(line.folder, display_of(line));
    case Command::list:
      return list_past_runs(line.folder, line.output_dir);
    default:
      break;
  }
  const config::Config config = resolve(line, {});
  if (line.command == Command::clean) return carry_out_clean(config, {line.dry_run, line.force});
  if (line.command == Command::check) return carry_out_check(config);
  if (line.dry_run) {
    show(stdout, config::dry_run_text(config));
    return 0;
  }
  process::EventLoop loop;
  return run::carry_out(loop, config, config.output_dir, display_of(line)).exit_code;
}

}  // namespace
}  // namespace walstorm

int main(int argc, char** argv) {
  using namespace walstorm;
  process::ignore_signals_of_writes();
  postgres::take_postgres_variables();
  try {
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* answer = std::get_if<Answer>(&parsed)) {
      show(answer->exit_code == 0 ? stdout : stderr, answer->text);
      return answer->exit_code;
    }
    const auto& line = std::get<CommandLine>(parsed);
    wire::start_log("walstorm", line.verbosity == Verbosity::verbose);
    return carry_out(line);
  } catch (const process::Interrupted&) {
    fmt::print(stderr, "walstorm: interrupted before the run began\n");
    return kInterrupted;
  } catch (const wire::Error& error) {
    show(stderr, std::string(error.what()) + "\n");
    return exit_code_of(error.kind());
  } catch (const std::exception& error) {
    show(stderr, fmt::format("walstorm: {}\n", error.what()));
    return 1;
  }
}
