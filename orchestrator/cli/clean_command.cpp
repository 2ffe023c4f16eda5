#include <fmt/format.h>

#include "orchestrator/cli/clean.h"
#include "orchestrator/cli/command.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm {
namespace {

void describe_clean(CLI::App& command, Words& words) {
  command.add_flag("--force", words.force, "Drop the tables in ClickHouse although a run is using them");
}

std::string read_clean(const CLI::App& /*command*/, const Words& words, CommandLine& line) {
  line.force = words.force;
  return {};
}

int carry_out_clean(const CommandLine& line) {
  const config::Config config = resolve(line);
  process::EventLoop loop;
  const auto found = clean(loop, config, {line.dry_run, line.force});
  for (const auto& thing : found) show(fmt::format("{} {}\n", line.dry_run ? "found" : "removed", thing));
  if (found.empty()) show("nothing left by earlier runs\n");
  return 0;
}

}  // namespace

CommandPage clean_command() {
  return {
      .command = Command::clean,
      .name = "clean",
      .says = "Remove what earlier runs left on the servers: slot, database, tables",
      .usage = "[CONFIG] [options]",
      .about = R"(It drops the replication slot and the profiling database in PostgreSQL, walstorm's tables in
ClickHouse, and folders of private servers that ended badly, and names each. It touches nothing
that walstorm did not make. Report folders stay. Give it the config of the runs: it names the
servers. Flags that shape the load are taken too and change nothing here.)",
      .options = {"CONFIG", "config", "mock-clickhouse", "set", "env-file", "dry-run"},
      .examples = R"(  walstorm clean --dry-run
  walstorm clean configs/quickstart.json)",
      .exit_codes = R"(  0    done
  2    bad config or usage
  3    a server cannot be reached, or a run is using the database)",
      .reads_config = true,
      .describe = describe_clean,
      .read = read_clean,
      .carry_out = carry_out_clean};
}

}  // namespace walstorm
