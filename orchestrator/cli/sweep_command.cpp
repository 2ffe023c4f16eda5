#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "orchestrator/cli/command.h"
#include "orchestrator/cli/values.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/sweep/sweep.h"

namespace walstorm {
namespace {

void describe_sweep(CLI::App& sweep, Words& words) {
  sweep
      .add_option("--vary", words.vary,
                  "A key and its values, such as consumer.flushBatchSize=50,200,1000, in place of those in "
                  "the config; repeatable")
      ->type_name("KEY.PATH=A,B,C")
      ->allow_extra_args(false);
  sweep
      .add_option("--mode", words.mode,
                  "full: every value with every other; oneAtATime: vary each key alone (default full)")
      ->type_name("MODE");
  sweep.add_option("--repeats", words.repeats, "Runs of each combination (default 2)")->type_name("N");
  sweep.add_option("--resume", words.resume, "Go on in the folder of a sweep that was broken off")
      ->type_name("DIR");
}

/// "key=a,b,c"; commas within [...], {...} or "..." belong to a value.
std::optional<sweep::Axis> axis_in(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) return std::nullopt;
  sweep::Axis axis{text.substr(0, equals), {""}};
  int depth = 0;
  bool quoted = false;
  for (const char c : text.substr(equals + 1)) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '[' || c == '{')) ++depth;
    if (!quoted && (c == ']' || c == '}')) --depth;
    if (c == ',' && depth == 0 && !quoted) {
      axis.values.emplace_back();
    } else {
      axis.values.back() += c;
    }
  }
  for (const std::string& value : axis.values) {
    if (value.empty()) return std::nullopt;
  }
  return axis;
}

std::string read_sweep(const CLI::App& sweep, const Words& words, CommandLine& line) {
  sweep::Options& options = line.sweep;
  for (const std::string& text : words.vary) {
    const auto axis = axis_in(text);
    if (!axis) return fmt::format("--vary {}: write key.path=a,b,c", text);
    for (const sweep::Axis& other : options.axes) {
      if (other.key == axis->key) return fmt::format("--vary {}: given twice", axis->key);
    }
    options.axes.push_back(*axis);
  }
  if (sweep.count("--mode") > 0) {
    if (words.mode != "full" && words.mode != "oneAtATime")
      return fmt::format("--mode {}: write full or oneAtATime", words.mode);
    options.mode = words.mode == "full" ? sweep::Mode::full : sweep::Mode::one_at_a_time;
  }
  if (sweep.count("--repeats") > 0) {
    const auto repeats = number_in(words.repeats);
    if (!repeats || *repeats < 1 || *repeats > 100 || *repeats != std::floor(*repeats))
      return fmt::format("--repeats {}: write a number from 1 to 100", words.repeats);
    options.repeats = static_cast<std::size_t>(*repeats);
  }
  if (sweep.count("--resume") > 0) options.resume = words.resume;
  return {};
}

int carry_out_sweep(const CommandLine& line) {
  const auto resolve_more = [&line](const std::vector<config::Override>& more) {
    return resolve(line, more);
  };
  if (line.dry_run) {
    show(sweep::dry_run_text(resolve_more, line.sweep));
    return 0;
  }
  process::EventLoop loop;
  return sweep::carry_out(loop, resolve_more, line.sweep, display_of(line));
}

}  // namespace

CommandPage sweep_command() {
  return {
      .command = Command::sweep,
      .name = "sweep",
      .says = "Run a config with every combination of some keys' values, and compare them",
      .usage = "[CONFIG] [options]",
      .about =
          R"(It repeats each combination, in a random order that the seed fixes, and tells which keys change
throughput, lag and CPU beyond noise, and which combination is best.)",
      .options = {"CONFIG", "config", "throughput", "duration", "workers", "mock-clickhouse",
                  "private-clickhouse", "set", "output", "name", "seed", "env-file", "dry-run", "verbose",
                  "quiet", "no-color"},
      .examples = R"(  walstorm sweep configs/sweep-batch-concurrency.json
  walstorm sweep -t 3000 -d 5s --mock-clickhouse --vary consumer.flushBatchSize=50,200,1000)",
      .exit_codes = R"(  0    all combinations were run
  1    one or more runs failed
  2    bad config or usage
  3    the environment is not ready
  130  interrupted; --resume goes on)",
      .reads_config = true,
      .describe = describe_sweep,
      .read = read_sweep,
      .carry_out = carry_out_sweep};
}

}  // namespace walstorm
