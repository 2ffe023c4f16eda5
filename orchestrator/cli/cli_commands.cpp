#include "orchestrator/cli/cli_commands.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <string_view>

namespace walstorm {
namespace {

constexpr double kWidthMin = 0.005;
constexpr double kWidthMax = 1;

CLI::App& command(CLI::App& app, const char* name, const char* says) {
  return *app.add_subcommand(name, says)->fallthrough();
}

void describe_search(CLI::App& app, CommandWords& words) {
  CLI::App& search =
      command(app, "search", "Find the highest targetThroughput that is sustained and crosses no threshold");
  search.add_option("--key", words.key, "Raise this numeric config key instead; targetThroughput")
      ->type_name("KEY.PATH");
  search.add_option("--precision", words.precision, "How narrow the bracket has to be: 5%")
      ->type_name("SHARE");
  search.add_option("--min", words.min, "Try nothing less")->type_name("N");
  search.add_option("--max", words.max, "Try nothing more, at first either")->type_name("N");
  search
      .add_option("--trial-duration", words.trial_duration,
                  "Load of a trial: 20s; unclear ones are repeated for twice as long")
      ->type_name("TIME");
  search.add_option("--max-duration", words.max_duration, "Begin no trial after this time: 30m")
      ->type_name("TIME");
  search
      .add_option("--phase", words.phase, "The phase that trials are made of; the first that is no warm-up")
      ->type_name("NAME");
  search.add_option("--resume", words.resume, "Go on in the folder of a search that was broken off")
      ->type_name("DIR");
}

void describe_sweep(CLI::App& app, CommandWords& words) {
  CLI::App& sweep =
      command(app, "sweep", "Run a config with every combination of values of some keys, and compare");
  sweep
      .add_option("--vary", words.vary,
                  "A key and its values, such as consumer.flushBatchSize=50,200,1000; repeatable; "
                  "in place of the config's \"sweep\"")
      ->type_name("KEY.PATH=A,B,C")
      ->allow_extra_args(false);
  sweep
      .add_option("--mode", words.mode,
                  "full: every value with every other; oneAtATime: each key's values alone")
      ->type_name("MODE");
  sweep.add_option("--repeats", words.repeats, "Runs of each combination; 2")->type_name("N");
  sweep.add_option("--resume", words.resume, "Go on in the folder of a sweep that was broken off")
      ->type_name("DIR");
}

void describe_compare(CLI::App& app, CommandWords& words) {
  CLI::App& compare = command(app, "compare",
                              "Say what changed between runs and whether it is beyond noise: "
                              "compare BASE... -- CANDIDATE...");
  compare
      .add_option("BASE", words.base,
                  "Run folders to compare with; a folder of many runs stands for those in it")
      ->type_name("DIR")
      ->expected(-1);
  compare.add_option("--candidate", words.candidate, "The run folders to judge; a lone -- stands for this")
      ->type_name("DIR")
      ->expected(-1);
  compare
      .add_option("--fail-on", words.fail_on,
                  "Exit 99 when this holds: \"consumer.cpuMicrosPerRecord > +5%\"; repeatable")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
  compare.add_flag("--force", words.force, "Compare although the load differs");
}

/// A number that is the whole text.
std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// "5%" or "0.05".
std::optional<double> share_in(const std::string& text) {
  if (text.ends_with('%')) {
    const auto percent = number_in(text.substr(0, text.size() - 1));
    return percent ? std::optional(*percent / 100) : std::nullopt;
  }
  return number_in(text);
}

std::string read_search(const CLI::App& search, const CommandWords& words, search::Options& options) {
  search::Question& question = options.question;
  const auto given = [&search](const char* option) { return search.count(option) > 0; };
  if (given("--key")) question.key = words.key;
  if (given("--phase")) options.phase = words.phase;
  if (given("--resume")) options.resume = words.resume;
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

std::string read_sweep(const CLI::App& sweep, const CommandWords& words, sweep::Options& options) {
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

std::string read_compare(const CommandWords& words, compare::Options& options) {
  if (words.base.empty() || words.candidate.empty())
    return "compare: write compare BASE... -- CANDIDATE..., run folders on both sides";
  options.base.assign(words.base.begin(), words.base.end());
  options.candidate.assign(words.candidate.begin(), words.candidate.end());
  options.fail_on = words.fail_on;
  options.force = words.force;
  return {};
}

}  // namespace

std::optional<double> seconds_in(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(static_cast<const char*>(end), text.data() + text.size());
  const double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (error != std::errc() || factor == 0 || !std::isfinite(value)) return std::nullopt;
  return value * factor;
}

void describe_commands(CLI::App& app, CommandWords& words) {
  command(app, "clean", "Remove slot, publication, databases and tables left by earlier runs")
      .add_flag("--force", words.force, "Drop the tables in ClickHouse although a run is using them");
  describe_search(app, words);
  describe_sweep(app, words);
  describe_compare(app, words);
  command(app, "report", "Write a run's report.md again, from its metrics.json, and print its summary")
      .add_option("DIR", words.folder, "The run's folder")
      ->type_name("DIR");
  command(app, "list", "List the runs in a folder: name, date, outcome, best rate")
      .add_option("DIR", words.folder, "The folder; ./profiling-results")
      ->type_name("DIR");
}

std::vector<std::string> with_named_candidates(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  bool compares = false;
  for (std::string& word : words) {
    compares = compares || word == "compare";
    if (compares && word == "--") word = "--candidate";
  }
  return words;
}

std::string read_command(const CLI::App& app, const CommandWords& words, CommandLine& line) {
  switch (line.command) {
    case Command::search:
      return read_search(*app.get_subcommand("search"), words, line.search);
    case Command::sweep:
      return read_sweep(*app.get_subcommand("sweep"), words, line.sweep);
    case Command::compare:
      return read_compare(words, line.compare);
    case Command::clean:
      line.force = words.force;
      return {};
    case Command::report:
      if (words.folder.empty()) return "report: name a run's folder";
      line.folder = words.folder;
      return {};
    case Command::list:
      if (!words.folder.empty()) line.folder = words.folder;
      return {};
    default:
      return {};
  }
}

}  // namespace walstorm
