#include "orchestrator/check/check.h"
#include "orchestrator/cli/command.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm {
namespace {

constexpr int kNotReady = 3;

int carry_out_check(const CommandLine& line) {
  const config::Config config = resolve(line);
  process::EventLoop loop;
  const auto sections = check::look(loop, config);
  show(check::check_text(sections));
  return check::is_ready(sections) ? 0 : kNotReady;
}

}  // namespace

CommandPage check_command() {
  return {
      .command = Command::check,
      .name = "check",
      .says = "Say whether PostgreSQL, ClickHouse and this machine are ready for a run",
      .usage = "[CONFIG] [options]",
      .about =
          R"(It tries on both servers and on this machine what a run would need, and says what is ready and what
to do about the rest. It changes nothing. Give it the config and the flags of the run to come.)",
      .options = {"CONFIG", "config", "throughput", "duration", "workers", "mock-clickhouse",
                  "private-clickhouse", "set", "output", "env-file", "profile"},
      .examples = R"(  walstorm check configs/quickstart.json
  walstorm check -t 5000 -d 30s --mock-clickhouse)",
      .exit_codes = R"(  0    ready
  2    bad config or usage
  3    not ready)",
      .reads_config = true,
      .carry_out = carry_out_check};
}

}  // namespace walstorm
