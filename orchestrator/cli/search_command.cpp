#include <fmt/format.h>
#include <tuple>

#include "orchestrator/cli/command.h"
#include "orchestrator/cli/values.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/search/search.h"

namespace walstorm {
namespace {

constexpr double kWidthMin = 0.005;
constexpr double kWidthMax = 1;

void describe_search(CLI::App& search, Words& words) {
  search.add_option("--min", words.min, "Try no lower rate, or value of --key")->type_name("N");
  search.add_option("--max", words.max, "Try no higher rate, or value of --key")->type_name("N");
  search
      .add_option("--precision", words.precision,
                  "Stop when the rates that pass and fail are this close (default 5%)")
      ->type_name("SHARE");
  search
      .add_option("--trial-duration", words.trial_duration,
                  "Length of each trial's load (default 20s); an unclear trial is repeated for twice as long")
      ->type_name("TIME");
  search.add_option("--max-duration", words.max_duration, "Begin no trial after this time (default 30m)")
      ->type_name("TIME");
  search
      .add_option("--phase", words.phase,
                  "The phase of the config that each trial runs (default: the first that is no warmup)")
      ->type_name("NAME");
  search.add_option("--key", words.key, "Raise this numeric key of the config instead of targetThroughput")
      ->type_name("KEY.PATH");
  search.add_option("--resume", words.resume, "Go on in the folder of a search that was broken off")
      ->type_name("DIR");
}

std::string read_search(const CLI::App& search, const Words& words, CommandLine& line) {
  search::Question& question = line.search.question;
  const auto given = [&search](const char* option) { return search.count(option) > 0; };
  if (given("--key")) question.key = words.key;
  if (given("--phase")) line.search.phase = words.phase;
  if (given("--resume")) line.search.resume = words.resume;
  if (given("--precision")) {
    const auto share = share_in(words.precision);
    if (!share || *share < kWidthMin || *share > kWidthMax)
      return fmt::format("--precision {}: write 0.5% to 100%", words.precision);
    question.precision = *share;
  }
  for (const auto& [option, text, value] :
       {std::tuple{"--min", &words.min, &question.min}, std::tuple{"--max", &words.max, &question.max}}) {
    if (!given(option)) continue;
    *value = number_in(*text);
    if (!*value || **value <= 0) return fmt::format("{} {}: write a number above 0", option, *text);
  }
  for (const auto& [option, text, value] :
       {std::tuple{"--trial-duration", &words.trial_duration, &question.trial_sec},
        std::tuple{"--max-duration", &words.max_duration, &question.duration_sec_max}}) {
    if (!given(option)) continue;
    const auto length = seconds_in(*text);
    if (!length || *length <= 0) return fmt::format("{} {}: write 60, 30s, 2m or 1h", option, *text);
    *value = *length;
  }
  return {};
}

int carry_out_search(const CommandLine& line) {
  const auto resolve_more = [&line](const std::vector<config::Override>& more) {
    return resolve(line, more);
  };
  if (line.dry_run) {
    show(search::dry_run_text(resolve_more, line.search));
    return 0;
  }
  process::EventLoop loop;
  return search::carry_out(loop, resolve_more, line.search, display_of(line));
}

}  // namespace

CommandPage search_command() {
  return {
      .command = Command::search,
      .name = "search",
      .says = "Find the highest rate that is sustained and crosses no threshold",
      .usage = "[CONFIG] [options]",
      .about =
          R"(It runs one phase of the config again and again, at higher rates until one fails, then halves the
distance. It tells the highest rate that passes, the lag there, the lowest rate that fails, and
which part was the bottleneck. Each trial has its report in the search's folder.)",
      .options = {"CONFIG", "config", "throughput", "workers", "mock-clickhouse", "private-clickhouse", "set",
                  "output", "name", "seed", "env-file", "dry-run", "verbose", "quiet", "no-color"},
      .examples = R"(  walstorm search configs/quickstart.json --trial-duration 10s --max 50000
  walstorm search configs/quickstart.json --dry-run)",
      .exit_codes = R"(  0    there is an answer
  1    the run of a trial failed, with an answer or without
  2    bad config or usage
  3    the environment is not ready
  99   not even --min passes
  130  interrupted; --resume goes on)",
      .reads_config = true,
      .describe = describe_search,
      .read = read_search,
      .carry_out = carry_out_search};
}

}  // namespace walstorm
