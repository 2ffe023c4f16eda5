#include "orchestrator/cli/cli.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "orchestrator/cli/cli_commands.h"
#include "orchestrator/config/json/did_you_mean.h"
#include "proto/wire/version.h"

namespace walstorm {
namespace {

constexpr int kUsageExitCode = 2;
/// The schema has it too; what needs no config does not read that.
constexpr const char* kOutputDir = "./profiling-results";

constexpr const char* kFooter = R"(
Examples:
  walstorm run configs/quickstart.json           against a private PostgreSQL and the mock sink
  walstorm -t 10000 -d 2m --mock-clickhouse      one phase, no file
  walstorm run stress.json --set producer.batchSize=500 --set phases.0.durationSec=10
  walstorm run stress.json --dry-run             what it would do, and the resolved config
  walstorm search stress.json --max 50000        the highest rate that is sustained
  walstorm sweep stress.json --vary consumer.flushBatchSize=50,200,1000
  walstorm compare before/ -- after/             what changed, and is it beyond noise
  walstorm check stress.json                     is everything ready for it, and what to do if not

A value comes from, later ones win: built-in, file, environment, flags. A flag left out changes nothing.
With a config file -t and -d replace the target and the duration of every phase.

Exit codes:
  0 passed   1 run failed   2 bad config or usage   3 environment not ready
  99 thresholds crossed   130 interrupted (report written))";

constexpr std::array<std::pair<const char*, Command>, 8> kCommands{{{"run", Command::run},
                                                                    {"check", Command::check},
                                                                    {"clean", Command::clean},
                                                                    {"search", Command::search},
                                                                    {"sweep", Command::sweep},
                                                                    {"compare", Command::compare},
                                                                    {"report", Command::report},
                                                                    {"list", Command::list}}};

/// The command line's raw words. Whether a flag was given is asked of CLI11, not of these.
struct Words {
  std::string config_option, config_argument;
  std::string throughput, duration, workers, profile, output, name, seed, env_file, junit;
  std::vector<std::string> sets;
  CommandWords command;
  bool mock = false, private_clickhouse = false, dry_run = false, verbose = false, quiet = false,
       no_color = false;
};

Answer usage_error(const std::string& message) {
  return {fmt::format("walstorm: {}\nwalstorm --help shows what there is\n", message), kUsageExitCode};
}

Answer not_yet(const std::string& what) {
  return {fmt::format("walstorm: {} comes with a later version\n", what), kUsageExitCode};
}

std::string version_text() {
  return fmt::format("walstorm {} (git {}, {} build)\n", wire::kToolVersion, wire::kGitRevision,
                     wire::kBuildType);
}

/// Options that any run takes belong to the program, and are found there from behind a command's name too.
void describe(CLI::App& app, Words& words) {
  app.name("walstorm");
  app.footer(kFooter);
  app.set_help_flag("-h,--help", "Print this and exit");
  app.set_version_flag("--version", version_text(), "Print version, git revision and build type, and exit");
  app.require_subcommand(0, 1);
  app.add_option("CONFIG", words.config_argument, "The config file; the same as -c")->type_name("FILE");
  app.add_option("-c,--config", words.config_option, "The config file")->type_name("FILE");
  app.add_option("-t,--throughput", words.throughput, "Records per second, or max")->type_name("N");
  app.add_option("-d,--duration", words.duration, "Duration of each phase: 60, 30s, 2m, 1h")
      ->type_name("TIME");
  app.add_option("-w,--workers", words.workers, "Producer processes")->type_name("N");
  app.add_flag("--mock-clickhouse", words.mock, "Flush into the mock instead of a ClickHouse server");
  app.add_flag("--private-clickhouse", words.private_clickhouse,
               "Start a ClickHouse for the run, and remove it afterwards");
  app.add_option("--set", words.sets, "Set one key, such as consumer.flushBatchSize=500; repeatable")
      ->type_name("KEY.PATH=VALUE")
      ->allow_extra_args(false);
  app.add_option("--output", words.output, "Where run folders go; ./profiling-results")->type_name("DIR");
  app.add_option("--name", words.name, "The run's name")->type_name("NAME");
  app.add_option("--seed", words.seed, "The seed of all generated rows")->type_name("N");
  app.add_option("--env-file", words.env_file, "Variables that win over the environment's")
      ->type_name("FILE");
  app.add_option("--junit", words.junit, "run: write the thresholds and the outcome as JUnit XML")
      ->type_name("FILE");
  app.add_flag("--dry-run", words.dry_run,
               "run, search, sweep, clean: print what would be done, and do nothing");
  app.add_flag("-v,--verbose", words.verbose, "Say more");
  app.add_flag("-q,--quiet", words.quiet, "Print the summary alone");
  app.add_flag("--no-color", words.no_color, "Never color the output");

  app.add_subcommand("run", "Run the phases of a config (the default)")->fallthrough();
  app.add_subcommand(
         "check",
         "Say whether PostgreSQL, ClickHouse and this machine are ready for a config, and what to do")
      ->fallthrough();
  describe_commands(app, words.command);
  // What comes later is in no help, and known all the same.
  app.add_option("--profile", words.profile)->group("");
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
    return usage_error(fmt::format("one config file at most; \"{}\" is too much", word));
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
  commands.reserve(kCommands.size());
  for (const auto& [name, command] : kCommands) commands.emplace_back(name);
  const std::string meant = config::nearest(word, commands);
  return usage_error(fmt::format("no such command or file: {}{}", word,
                                 meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
}

/// Commands and flags whose feature this version lacks.
std::optional<Answer> later_feature(const Words& words) {
  if (!words.profile.empty() && words.profile != "none") return not_yet("--profile " + words.profile);
  return std::nullopt;
}

/// Flags that every command parses and not every one heeds: one that would be ignored is refused, for a dry
/// run that starts a load is the worst surprise.
std::optional<Answer> idle_flag(Command command, const Words& words) {
  const auto is = [command](std::initializer_list<Command> commands) {
    return std::find(commands.begin(), commands.end(), command) != commands.end();
  };
  const auto named = std::find_if(kCommands.begin(), kCommands.end(),
                                  [command](const auto& each) { return each.second == command; });
  if (words.dry_run && !is({Command::run, Command::search, Command::sweep, Command::clean}))
    return usage_error(fmt::format(
        "--dry-run is for run, search, sweep and clean; {} puts no load on anything", named->first));
  if (!words.junit.empty() && !is({Command::run}))
    return usage_error(fmt::format("--junit is for run; {} writes no JUnit XML", named->first));
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

std::variant<CommandLine, Answer> command_line_from(const CLI::App& app, const Words& words) {
  if (auto answer = later_feature(words)) return *answer;
  if (!app.remaining(true).empty()) return unknown_words(app);
  if (!words.config_option.empty() && !words.config_argument.empty()) {
    return usage_error(fmt::format("one config file at most; here are {} and {}", words.config_option,
                                   words.config_argument));
  }
  if (words.mock && words.private_clickhouse)
    return usage_error("--mock-clickhouse and --private-clickhouse exclude each other");
  if (words.verbose && words.quiet) return usage_error("-v and -q exclude each other");
  CommandLine line;
  for (const auto& [name, command] : kCommands) {
    if (app.got_subcommand(name)) line.command = command;
  }
  if (auto answer = idle_flag(line.command, words)) return *answer;
  const std::string& file = words.config_option.empty() ? words.config_argument : words.config_option;
  if (auto answer = mistyped_command(app, words)) return *answer;
  if (!file.empty()) line.request.file = file;
  if (!words.env_file.empty()) line.request.env_file = words.env_file;
  line.request.needs_sink = line.command != Command::check && line.command != Command::clean;
  if (!words.junit.empty()) line.junit_file = words.junit;
  line.dry_run = words.dry_run;
  line.color = !words.no_color;
  line.verbosity = words.verbose ? Verbosity::verbose : words.quiet ? Verbosity::quiet : Verbosity::normal;
  if (auto answer = add_overrides(app, words, line.request.overrides)) return *answer;
  if (const std::string wrong = read_command(app, words.command, line); !wrong.empty())
    return usage_error(wrong);
  line.output_dir = words.output.empty() ? kOutputDir : words.output;
  line.compare.output_dir = line.output_dir;
  return line;
}

/// The program's own help; behind the name of a command with options those first, and then what any run
/// takes.
std::string help_text(const CLI::App& app) {
  const auto program = [&app] {
    return app.get_formatter()->make_help(&app, "walstorm", CLI::AppFormatMode::Normal);
  };
  for (const CLI::App* command : app.get_subcommands()) {
    if (command
            ->get_options([](const CLI::Option* option) {
              return option->get_lnames() != std::vector<std::string>{"help"};
            })
            .empty())
      continue;
    return command->help("walstorm") + "\nAnd what any command takes:\n" + program() + "\n";
  }
  return program() + "\n";
}

}  // namespace

std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv) {
  CLI::App app{
      "walstorm load-tests PostgreSQL -> ClickHouse replication: it writes rows at a given rate, follows "
      "the\n"
      "WAL into ClickHouse or a mock of it, accounts for every row, and reports each phase."};
  Words words;
  describe(app, words);
  app.allow_extras();  // unknown_words() says more about them than CLI11 does
  try {
    auto arguments = with_named_candidates(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    return command_line_from(app, words);
  } catch (const CLI::CallForHelp&) {
    return Answer{help_text(app), 0};
  } catch (const CLI::CallForVersion&) {
    return Answer{version_text(), 0};
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
}

}  // namespace walstorm
