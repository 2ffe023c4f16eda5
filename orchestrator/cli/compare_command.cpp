#include "orchestrator/cli/command.h"
#include "orchestrator/compare/compare.h"

namespace walstorm {
namespace {

void describe_compare(CLI::App& compare, Words& words) {
  compare
      .add_option("BASE", words.base,
                  "Run folders to compare with; a folder of many runs stands for those in it")
      ->type_name("DIR")
      ->expected(-1);
  compare.add_option("--candidate", words.candidate, "Run folders to judge; -- is short for it")
      ->type_name("DIR")
      ->expected(-1);
  compare
      .add_option("--fail-on", words.fail_on,
                  "Exit 99 when this holds: \"consumer.cpuMicrosPerRecord > +5%\"; repeatable")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
  compare.add_flag("--force", words.force, "Compare although the load differs");
}

std::string read_compare(const CLI::App& /*command*/, const Words& words, CommandLine& line) {
  compare::Options& options = line.compare;
  if (words.base.empty() || words.candidate.empty())
    return "compare: write compare BASE... -- CANDIDATE..., run folders on both sides";
  options.base.assign(words.base.begin(), words.base.end());
  options.candidate.assign(words.candidate.begin(), words.candidate.end());
  options.fail_on = words.fail_on;
  options.force = words.force;
  options.output_dir = line.output_dir;
  return {};
}

int carry_out_compare(const CommandLine& line) {
  return compare::carry_out(line.compare, display_of(line));
}

}  // namespace

CommandPage compare_command() {
  return {
      .command = Command::compare,
      .name = "compare",
      .says = "Say what changed between two sets of runs, and whether it is beyond noise",
      .usage = "BASE... -- CANDIDATE... [options]",
      .about = R"(It puts the medians of both sides next to each other, phase by phase, with the p-value of a
Mann-Whitney test. What differs in settings, versions and machines comes first. With fewer than 4
runs on a side no change can be told from noise; it is shown all the same.)",
      .options = {"output", "no-color"},
      .examples = R"(  walstorm compare before -- after
  walstorm compare before -- after --fail-on "consumer.lagMs.p99 > +10%"
the runs of both sides, each four times or more and in turn:
  walstorm run -t 3000 -d 5s --mock-clickhouse --output before
  walstorm run -t 3000 -d 5s --mock-clickhouse --output after --set consumer.flushBatchSize=5000)",
      .exit_codes = R"(  0    compared
  2    bad usage, no runs there, or the load differs (--force compares all the same)
  99   a --fail-on condition holds)",
      .describe = describe_compare,
      .read = read_compare,
      .carry_out = carry_out_compare};
}

}  // namespace walstorm
