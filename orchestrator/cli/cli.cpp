#include "orchestrator/cli/cli.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "orchestrator/cli/command.h"
#include "orchestrator/cli/help.h"
#include "orchestrator/cli/values.h"
#include "orchestrator/config/json/did_you_mean.h"
#include "proto/wire/version.h"

namespace walstorm {
namespace {

constexpr int kUsageExitCode = 2;
constexpr double kTopMax = 1'000'000;
/// The schema has it too; what needs no config does not read that.
constexpr const char* kOutputDir = "./profiling-results";

Answer usage_error(const std::string& message) {
  return {fmt::format("walstorm: {}\nwalstorm --help shows what there is\n", message), kUsageExitCode};
}

std::string version_text() {
  return fmt::format("walstorm {} (git {}, {} build)\n", wire::kToolVersion, wire::kGitRevision,
                     wire::kBuildType);
}

/// What more than one command takes belongs to the program, and is found there from behind a command's name
/// too: so a flag may stand before the command and after it.
void describe(CLI::App& app, Words& words) {
  app.name("walstorm");
  app.set_help_flag("-h,--help", "Print this text");
  app.set_version_flag("--version", version_text(), "Print version, git revision and build type");
  app.require_subcommand(0, 1);
  app.add_option("CONFIG", words.config_argument, "The config file; the same as -c")->type_name("FILE");
  app.add_option("-c,--config", words.config_option, "The config file")->type_name("FILE");
  app.add_option("-t,--throughput", words.throughput, "Target rate in records per second, or max")
      ->type_name("N");
  app.add_option("-d,--duration", words.duration, "Duration of each phase: 60, 30s, 2m, 1h")
      ->type_name("TIME");
  app.add_option("-w,--workers", words.workers, "Producer processes")->type_name("N");
  app.add_flag("--mock-clickhouse", words.mock, "Flush into the mock instead of a ClickHouse server");
  app.add_flag("--private-clickhouse", words.private_clickhouse,
               "Start a ClickHouse for the run and remove it afterwards");
  app.add_option("--set", words.sets, "Set one key, such as consumer.flushBatchSize=500; repeatable")
      ->type_name("KEY.PATH=VALUE")
      ->allow_extra_args(false);
  app.add_option("--output", words.output, "Where run folders are (default ./profiling-results)")
      ->type_name("DIR");
  app.add_option("--name", words.name, "Name of the run")->type_name("NAME");
  app.add_option("--seed", words.seed, "Seed of all generated rows")->type_name("N");
  app.add_option("--env-file", words.env_file,
                 "Read variables from this file; they win over the environment's")
      ->type_name("FILE");
  app.add_option("--junit", words.junit, "Write the thresholds and the outcome as JUnit XML")
      ->type_name("FILE");
  app.add_flag("--dry-run", words.dry_run, "Print what would be done and start nothing");
  app.add_flag("-v,--verbose", words.verbose, "Print log lines too");
  app.add_flag("-q,--quiet", words.quiet, "Print the summary alone");
  app.add_flag("--no-color", words.no_color, "Never color the output");
  app.add_option("--profile", words.profile,
                 "doctor: what limits the workers; flame: flame graphs; heap: where memory grows; "
                 "contention: waits for locks; several: doctor,heap; none")
      ->type_name("TOOL");
  app.add_option("--top", words.top, "Of a profile: list so many functions (default 25)")->type_name("N");
  app.add_option("--baseline", words.baseline, "With --profile: compare with the profile of this run folder")
      ->type_name("DIR");
  app.add_option("--pyroscope", words.pyroscope, "With --profile: push the stacks to this Pyroscope server")
      ->type_name("URL");
  for (const CommandPage& page : command_pages()) {
    CLI::App* command = app.add_subcommand(page.name, page.says)->fallthrough();
    if (page.describe != nullptr) page.describe(*command, words);
  }
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Answer unknown_words(const CLI::App& app) {
  const std::string word = app.remaining(true).front();
  const std::string name = word.substr(0, word.find('='));
  if (!name.starts_with('-'))
    return usage_error(fmt::format("one config file at most; \"{}\" is one too many", word));
  const std::string meant = config::nearest(name, option_names(app));
  return usage_error(meant.empty() ? fmt::format("unknown option {}", name)
                                   : fmt::format("unknown option {}; did you mean {}?", name, meant));
}

/// A lone word that is neither a command nor a file: "walstorm cleen".
std::optional<Answer> mistyped_command(const CLI::App& app, const Words& words) {
  const std::string& word = words.config_argument;
  std::error_code unknown;
  const bool is_file =
      word.find_first_of("./") != std::string::npos || std::filesystem::exists(word, unknown);
  if (word.empty() || is_file || !app.get_subcommands().empty()) return std::nullopt;
  std::vector<std::string> commands;
  commands.reserve(command_pages().size());
  for (const CommandPage& page : command_pages()) commands.emplace_back(page.name);
  const std::string meant = config::nearest(word, commands);
  return usage_error(fmt::format("no such command or file: {}{}", word,
                                 meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
}

/// The program parses its options for every command, and not every one has a use for each. Flags of a config
/// are let pass, so that one set of flags fits a run and all that is asked about it; what would mislead is
/// refused: a dry run that starts a load is the worst surprise.
std::optional<Answer> idle_option(const CLI::App& app, const CommandPage& page) {
  const auto serves = [&page](const std::string& name) {
    return std::find(page.options.begin(), page.options.end(), name) != page.options.end();
  };
  if (app.count("--dry-run") > 0 && !serves("dry-run"))
    return usage_error(
        fmt::format("--dry-run is for run, search, sweep and clean; {} puts no load on anything", page.name));
  if (app.count("--junit") > 0 && !serves("junit"))
    return usage_error(fmt::format("--junit is for run; {} writes no JUnit XML", page.name));
  if (!page.reads_config && app.count("CONFIG") > 0)
    return usage_error(fmt::format("{} takes one folder; \"{}\" is one too many", page.name,
                                   app["CONFIG"]->as<std::string>()));
  return std::nullopt;
}

/// Appends what the flags put over the config; the more special --set last, so that it wins. Returns what is
/// wrong.
std::optional<Answer> add_overrides(const CLI::App& app, const Words& words,
                                    std::vector<config::Override>& overrides) {
  const auto add = [&](const char* flag, const char* path, const std::string& value, bool as_text) {
    if (app.count(flag) > 0) overrides.push_back({fmt::format("{} ", flag), path, value, as_text});
  };
  add("--throughput", "phases.*.targetThroughput", words.throughput, false);
  if (app.count("--duration") > 0) {
    const auto length = seconds_in(words.duration);
    if (!length) return usage_error(fmt::format("--duration {}: write 60, 30s, 2m or 1h", words.duration));
    add("--duration", "phases.*.durationSec", fmt::format("{}", *length), false);
  }
  add("--workers", "producer.workerCount", words.workers, false);
  add("--mock-clickhouse", "consumer.useMockClickhouse", words.mock ? "true" : "false", false);
  if (app.count("--private-clickhouse") > 0) {
    overrides.push_back({"--private-clickhouse ", "clickhouse.url", "private", true});
    overrides.push_back({"--private-clickhouse ", "consumer.useMockClickhouse", "false", false});
  }
  if (app.count("--profile") > 0) {
    overrides.push_back(
        {"--profile ", "profiling.enabled", words.profile == "none" ? "false" : "true", false});
    if (words.profile != "none") overrides.push_back({"--profile ", "profiling.tool", words.profile, true});
  }
  add("--output", "profiling.outputDir", words.output, true);
  add("--name", "name", words.name, true);
  add("--seed", "seed", words.seed, false);
  for (const std::string& set : words.sets) {
    const auto equals = set.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return usage_error(fmt::format("--set {}: write key.path=value", set));
    }
    const std::string path = set.substr(0, equals);
    overrides.push_back({fmt::format("--set {}=", path), path, set.substr(equals + 1), false});
  }
  return std::nullopt;
}

/// What is asked of a profile. Returns what is wrong.
std::optional<Answer> read_extras(const CLI::App& app, const Words& words, profile::Extras& extras) {
  if (app.count("--top") > 0) {
    const auto top = number_in(words.top);
    if (!top || *top < 1 || *top > kTopMax || *top != std::floor(*top))
      return usage_error(fmt::format("--top {}: write a number from 1 to {:.0f}", words.top, kTopMax));
    extras.functions_max = static_cast<std::size_t>(*top);
  }
  if (!words.baseline.empty()) extras.baseline = words.baseline;
  if (!words.pyroscope.empty()) extras.pyroscope_url = words.pyroscope;
  return std::nullopt;
}

/// The page of the command that was given; run's when none was.
const CommandPage& given_page(const CLI::App& app) {
  for (const CommandPage& page : command_pages()) {
    if (app.got_subcommand(page.name)) return page;
  }
  return page_of(Command::run);
}

std::optional<Answer> contradiction(const Words& words) {
  if (!words.config_option.empty() && !words.config_argument.empty()) {
    return usage_error(fmt::format("one config file at most, and two are given: {} and {}",
                                   words.config_option, words.config_argument));
  }
  if (words.mock && words.private_clickhouse)
    return usage_error("--mock-clickhouse and --private-clickhouse cannot be used together");
  if (words.verbose && words.quiet) return usage_error("-v and -q cannot be used together");
  return std::nullopt;
}

std::variant<CommandLine, Answer> command_line_from(const CLI::App& app, const Words& words) {
  if (!app.remaining(true).empty()) return unknown_words(app);
  if (auto answer = contradiction(words)) return *answer;
  const CommandPage& page = given_page(app);
  if (auto answer = idle_option(app, page)) return *answer;
  if (auto answer = mistyped_command(app, words)) return *answer;
  CommandLine line;
  line.command = page.command;
  const std::string& file = words.config_option.empty() ? words.config_argument : words.config_option;
  if (!file.empty()) line.request.file = file;
  if (!words.env_file.empty()) line.request.env_file = words.env_file;
  line.request.needs_sink = line.command != Command::check && line.command != Command::clean;
  if (!words.junit.empty()) line.junit_file = words.junit;
  line.dry_run = words.dry_run;
  line.color = !words.no_color;
  line.verbosity = words.verbose ? Verbosity::verbose : words.quiet ? Verbosity::quiet : Verbosity::normal;
  line.output_dir = words.output.empty() ? kOutputDir : words.output;
  if (auto answer = add_overrides(app, words, line.request.overrides)) return *answer;
  if (auto answer = read_extras(app, words, line.profile)) return *answer;
  if (page.read != nullptr) {
    if (const std::string wrong = page.read(*app.get_subcommand(page.name), words, line); !wrong.empty())
      return usage_error(wrong);
  }
  return line;
}

/// `compare BASE... -- CANDIDATE...`: CLI11 would forget where the "--" stood, so an option takes its place.
std::vector<std::string> with_named_candidates(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  bool compares = false;
  for (std::string& word : words) {
    compares = compares || word == "compare";
    if (compares && word == "--") word = "--candidate";
  }
  return words;
}

}  // namespace

std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv) {
  CLI::App app;
  Words words;
  describe(app, words);
  app.allow_extras();  // unknown_words() says more about them than CLI11 does
  try {
    auto arguments = with_named_candidates(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    return command_line_from(app, words);
  } catch (const CLI::CallForHelp&) {
    return Answer{app.get_subcommands().empty() ? program_help(app) : command_help(app, given_page(app)), 0};
  } catch (const CLI::CallForVersion&) {
    return Answer{version_text(), 0};
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
}

}  // namespace walstorm
