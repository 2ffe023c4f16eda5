#include "orchestrator/cli/command.h"
#include "orchestrator/config/phase_plan.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/commands.h"
#include "orchestrator/run/run.h"
#include "proto/wire/error.h"

namespace walstorm {
namespace {

/// What is asked of a profile that is not taken, or of a baseline that is none, is told before the run.
void require_profile(process::EventLoop& loop, const CommandLine& line, const config::Config& config) {
  const auto refuse = [](const std::string& why) { throw wire::Error(wire::ErrorKind::config, why); };
  if (!config.profiling.flame()) {
    if (line.profile.baseline) refuse("--baseline compares profiles: it goes with --profile flame");
    if (line.profile.pyroscope_url) refuse("--pyroscope pushes stacks: it goes with --profile flame");
  }
  if (line.profile.baseline) (void)profile::load_profile(loop, line.profile.baseline->string());
}

int carry_out_run(const CommandLine& line) {
  const config::Config config = resolve(line);
  if (line.dry_run) {
    show(config::dry_run_text(config));
    return 0;
  }
  process::EventLoop loop;
  require_profile(loop, line, config);
  return run::carry_out(loop, config, config.output_dir, display_of(line)).exit_code;
}

}  // namespace

CommandPage run_command() {
  return {
      .command = Command::run,
      .name = "run",
      .says = "Run the phases of a config and report each; the default command",
      .usage = "[CONFIG] [options]",
      .about =
          R"(It writes rows to PostgreSQL at the target rate, reads them back by logical replication, flushes
them into ClickHouse or the mock, and accounts for every row. It tells, phase by phase, whether
replication kept up, the write latency, the replication lag and what the bottleneck was. The report
goes into a folder of its own.

Without CONFIG it runs one phase, of -t 5000 and -d 60s. With one, -t and -d replace the target and
the duration of every phase. A flag wins over the environment, which wins over the file.)",
      .options = {"CONFIG",
                  "config",
                  "throughput",
                  "duration",
                  "workers",
                  "mock-clickhouse",
                  "private-clickhouse",
                  "set",
                  "output",
                  "name",
                  "seed",
                  "env-file",
                  "junit",
                  "dry-run",
                  "profile",
                  "top",
                  "baseline",
                  "pyroscope",
                  "verbose",
                  "quiet",
                  "no-color"},
      .examples = R"(  walstorm run configs/quickstart.json
  walstorm run -t 2000 -d 10s --mock-clickhouse --set consumer.flushBatchSize=500
  walstorm run -t 20000 -d 20s --mock-clickhouse --profile doctor,flame)",
      .exit_codes = R"(  0    passed
  1    the run failed: a process died, rows are missing, a server was lost
  2    bad config or usage
  3    the environment is not ready: walstorm check says what to do
  99   a threshold was crossed
  130  interrupted; the report is written)",
      .reads_config = true,
      .carry_out = carry_out_run};
}

}  // namespace walstorm
