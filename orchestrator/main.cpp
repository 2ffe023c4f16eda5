#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <string>
#include <variant>

#include "orchestrator/cli/cli.h"
#include "orchestrator/config/json/secrets.h"
#include "orchestrator/process/signals.h"
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
