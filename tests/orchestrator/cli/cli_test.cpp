#include "orchestrator/cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/orchestrator/cli/cli_verbs.h"
#include "tests/orchestrator/config/config_verbs.h"

namespace walstorm {
namespace {

using testing::HasSubstr;

void refuses(const std::vector<const char*>& words, const std::string& line) {
  const auto parsed = parse(words);
  const auto* answer = std::get_if<Answer>(&parsed);
  ASSERT_NE(answer, nullptr) << "was taken, instead of: " << line;
  EXPECT_EQ(answer->exit_code, 2);
  EXPECT_EQ(answer->text.substr(0, answer->text.find('\n')), "walstorm: " + line);
}

/// The value that the words put at `path`; nullopt when they leave it alone.
std::optional<std::string> put(const std::vector<const char*>& words, const std::string& path) {
  for (const config::Override& each : taken(words).request.overrides) {
    if (each.path == path) return each.value;
  }
  return std::nullopt;
}

TEST(Cli, RunIsTheDefaultCommandAndTheFileIsNamedInEveryWay) {
  for (const auto& words : std::vector<std::vector<const char*>>{{"run", "x.json"},
                                                                 {"x.json"},
                                                                 {"-c", "x.json"},
                                                                 {"--config", "x.json"},
                                                                 {"--config=x.json"},
                                                                 {"run", "-c", "x.json"},
                                                                 {"-c", "x.json", "run"},
                                                                 {"-v", "run", "x.json", "--dry-run"},
                                                                 {"run", "--dry-run", "x.json"}}) {
    const CommandLine line = taken(words);
    EXPECT_EQ(line.command, Command::run);
    EXPECT_EQ(line.request.file, "x.json");
    EXPECT_TRUE(line.request.needs_sink);
  }
  EXPECT_EQ(taken({}).request.file, std::nullopt);
}

TEST(Cli, CleanNeedsNoSink) {
  const CommandLine line = taken({"clean", "x.json", "--dry-run"});
  EXPECT_EQ(line.command, Command::clean);
  EXPECT_EQ(line.request.file, "x.json");
  EXPECT_FALSE(line.request.needs_sink);
  EXPECT_TRUE(line.dry_run);
}

TEST(Cli, CheckNeedsNoSinkToSayWhatIsMissing) {
  const CommandLine line = taken({"check", "x.json"});
  EXPECT_EQ(line.command, Command::check);
  EXPECT_FALSE(line.request.needs_sink);
}

TEST(Cli, AMistypedCommandIsNotTakenForAFile) {
  refuses({"cleen"}, "no such command or file: cleen; did you mean clean?");
  refuses({"chek", "-q"}, "no such command or file: chek; did you mean check?");
  refuses({"serch"}, "no such command or file: serch; did you mean search?");
  refuses({"xyzzy"}, "no such command or file: xyzzy");
  EXPECT_EQ(taken({"run", "cleen"}).request.file, "cleen") << "behind a command it can be a file alone";
  EXPECT_EQ(taken({"./cleen"}).request.file, "./cleen");
}

TEST(Cli, FlagsLeftOutLeaveNoTrace) {
  const CommandLine line = taken({"run", "x.json"});
  EXPECT_TRUE(line.request.overrides.empty());
  EXPECT_EQ(line.request.env_file, std::nullopt);
  EXPECT_FALSE(line.dry_run);
  EXPECT_TRUE(line.color);
  EXPECT_EQ(line.verbosity, Verbosity::normal);
}

TEST(Cli, TheDefaultsOfFlagsNeverOverrideTheFile) {
  const config::TemporaryFolder folder;
  const auto file =
      folder.write("x.json", config::with_mock(R"({"seed": 9, "name": "mine", "producer": {"workerCount": 3},
      "profiling": {"outputDir": "o"}, "phases": [{"name": "a", "durationSec": 7, "targetThroughput": 123}]})"));
  const auto nothing = [](const std::string&) { return std::nullopt; };
  const config::Config config = config::load(taken({"run", file.c_str()}).request, nothing, folder.path());
  EXPECT_EQ(config.seed, 9U);
  EXPECT_EQ(config.name, "mine");
  EXPECT_EQ(config.producer.worker_count, 3U);
  EXPECT_EQ(config.output_dir, "o");
  EXPECT_EQ(config.phases[0].duration_sec, 7);
  EXPECT_EQ(std::get<config::ConstantLoad>(config.phases[0].load).rate, 123);
}

TEST(Cli, FlagsReachTheConfig) {
  const config::TemporaryFolder folder;
  const auto nothing = [](const std::string&) { return std::nullopt; };
  const config::Config config =
      config::load(taken({"-t", "10000", "-d", "2m", "-w", "3", "--mock-clickhouse", "--output", "out",
                          "--name", "123", "--seed", "7", "--set", "consumer.flushBatchSize=500", "--set",
                          "phases.0.name=peak", "--profile", "none"})
                       .request,
                   nothing, folder.path());
  EXPECT_EQ(std::get<config::ConstantLoad>(config.phases.at(0).load).rate, 10000);
  EXPECT_EQ(config.phases[0].duration_sec, 120);
  EXPECT_EQ(config.phases[0].name, "peak");
  EXPECT_EQ(config.producer.worker_count, 3U);
  EXPECT_TRUE(config.consumer.use_mock_clickhouse);
  EXPECT_EQ(config.consumer.flush_batch_size, 500U);
  EXPECT_EQ(config.output_dir, "out");
  EXPECT_EQ(config.name, "123");
  EXPECT_EQ(config.seed, 7U);
}

TEST(Cli, ProfileTurnsATool) {
  EXPECT_EQ(put({"--profile", "flame"}, "profiling.tool"), "flame");
  EXPECT_EQ(put({"--profile", "flame"}, "profiling.enabled"), "true");
  EXPECT_EQ(put({"--profile", "heap,contention,flame"}, "profiling.tool"), "heap,contention,flame");
  EXPECT_EQ(put({"--profile", "none"}, "profiling.enabled"), "false");
  EXPECT_EQ(put({"--profile", "flame,doctor"}, "profiling.tool"), "flame,doctor");
}

TEST(Cli, WhatIsAskedOfAProfile) {
  const CommandLine line =
      taken({"--profile", "flame", "--top", "7", "--baseline", "b", "--pyroscope", "http://h:4040"});
  EXPECT_EQ(line.profile.functions_max, 7U);
  EXPECT_EQ(line.profile.baseline, "b");
  EXPECT_EQ(line.profile.pyroscope_url, "http://h:4040");
  EXPECT_EQ(taken({"run"}).profile.functions_max, 25U);
  refuses({"--top", "0"}, "--top 0: write a number from 1 to 1000000");
  refuses({"--top", "many"}, "--top many: write a number from 1 to 1000000");
}

TEST(Cli, ProfileReadsOneSourceAndProfileDiffTwo) {
  EXPECT_EQ(taken({"profile", "x.folded", "--top", "5"}).profile_source, "x.folded");
  EXPECT_EQ(taken({"profile", "x.folded", "--top", "5"}).profile.functions_max, 5U);
  const CommandLine diff = taken({"profile-diff", "a", "b"});
  EXPECT_EQ(diff.command, Command::profile_diff);
  EXPECT_EQ(diff.profile_base, "a");
  EXPECT_EQ(diff.profile_source, "b");
  refuses({"profile"}, "profile: name a run's folder, a file or a URL");
  refuses({"profile-diff", "a"},
          "profile-diff: write profile-diff BASE CANDIDATE, a run's folder, a file or a URL each");
}

TEST(Cli, AFlagCanTakeBackWhatTheFileSays) {
  EXPECT_EQ(put({"--mock-clickhouse"}, "consumer.useMockClickhouse"), "true");
  EXPECT_EQ(put({"--mock-clickhouse=false"}, "consumer.useMockClickhouse"), "false");
}

TEST(Cli, SetWinsOverTheFlagForEveryPhaseWhereverItStands) {
  const auto overrides = taken({"--set", "phases.0.targetThroughput=5", "-t", "100"}).request.overrides;
  ASSERT_EQ(overrides.size(), 2U);
  EXPECT_EQ(overrides[0].path, "phases.*.targetThroughput");
  EXPECT_EQ(overrides[1].path, "phases.0.targetThroughput");
}

TEST(Cli, SetTakesValuesWithSignsCommasAndMoreEqualsSigns) {
  EXPECT_EQ(put({"--set", "database.url=postgres://h/db?a=b"}, "database.url"), "postgres://h/db?a=b");
  EXPECT_EQ(put({"--set=producer.batchSize=-5"}, "producer.batchSize"), "-5");
  EXPECT_EQ(put({"--set", "phases=[{\"name\":\"a\",\"durationSec\":1}]"}, "phases"),
            "[{\"name\":\"a\",\"durationSec\":1}]");
  EXPECT_EQ(put({"--set", "description="}, "description"), "");
}

TEST(Cli, SetDoesNotSwallowTheFile) {
  const CommandLine line = taken({"run", "--set", "seed=1", "x.json"});
  EXPECT_EQ(line.request.file, "x.json");
  EXPECT_EQ(line.request.overrides.size(), 1U);
}

TEST(Cli, DurationsAreSecondsMinutesOrHours) {
  const auto seconds = [](const char* text) { return put({"-d", text}, "phases.*.durationSec"); };
  EXPECT_EQ(seconds("60"), "60");
  EXPECT_EQ(seconds("30s"), "30");
  EXPECT_EQ(seconds("2m"), "120");
  EXPECT_EQ(seconds("1.5m"), "90");
  EXPECT_EQ(seconds("1h"), "3600");
  for (const char* bad : {"x", "5x", "5 s", "s", "inf", "nan", "1e999", "30ms"}) {
    refuses({"-d", bad}, std::string("--duration ") + bad + ": write 60, 30s, 2m or 1h");
  }
}

TEST(Cli, BadValuesOfFlagsAreToldByTheFlagsName) {
  const config::TemporaryFolder folder;
  const auto nothing = [](const std::string&) { return std::nullopt; };
  try {
    static_cast<void>(config::load(
        taken({"--mock-clickhouse", "-t", "fast", "-w", "0", "-d", "-5", "--seed", "1.5"}).request, nothing,
        folder.path()));
    ADD_FAILURE() << "was taken";
  } catch (const wire::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--throughput \"fast\": must be a number of records per second"));
    EXPECT_THAT(error.what(), HasSubstr("--workers 0: must be at least 1"));
    EXPECT_THAT(error.what(), HasSubstr("--duration -5: must be at least 1"));
    EXPECT_THAT(error.what(), HasSubstr("--seed 1.5: must be a whole number"));
  }
}

TEST(Cli, UsageErrorsSayWhatToWrite) {
  refuses({"--set", "seed"}, "--set seed: write key.path=value");
  refuses({"--set", "=5"}, "--set =5: write key.path=value");
  refuses({"--thruput", "5"}, "unknown option --thruput; did you mean --throughput?");
  refuses({"run", "--dryrun"}, "unknown option --dryrun; did you mean --dry-run?");
  refuses({"--xyzzy=5"}, "unknown option --xyzzy");
  refuses({"-z"}, "unknown option -z");
  refuses({"run", "a.json", "b.json"}, "one config file at most; \"b.json\" is one too many");
  refuses({"run", "a.json", "-c", "b.json"}, "one config file at most, and two are given: b.json and a.json");
}

TEST(Cli, QuietAndVerboseExcludeEachOther) {
  EXPECT_EQ(taken({"-v"}).verbosity, Verbosity::verbose);
  EXPECT_EQ(taken({"-q"}).verbosity, Verbosity::quiet);
  EXPECT_FALSE(taken({"--no-color"}).color);
  refuses({"-q", "-v"}, "-v and -q cannot be used together");
}

TEST(Cli, PrivateClickhouseTakesTheMocksPlace) {
  const auto overrides = taken({"--private-clickhouse"}).request.overrides;
  ASSERT_EQ(overrides.size(), 2U);
  EXPECT_EQ(overrides[0].path, "clickhouse.url");
  EXPECT_EQ(overrides[0].value, "private");
  EXPECT_EQ(overrides[1].path, "consumer.useMockClickhouse");
  EXPECT_EQ(overrides[1].value, "false");
  refuses({"--private-clickhouse", "--mock-clickhouse"},
          "--mock-clickhouse and --private-clickhouse cannot be used together");
}

TEST(Cli, NamesTheJunitFileOnlyWhenAsked) {
  EXPECT_EQ(taken({}).junit_file, std::nullopt);
  EXPECT_EQ(taken({"--junit", "out/x.xml"}).junit_file, "out/x.xml");
}

TEST(Cli, ADryRunIsRefusedWhereItWouldBeIgnored) {
  EXPECT_TRUE(taken({"search", "x.json", "--dry-run"}).dry_run);
  EXPECT_TRUE(taken({"sweep", "--dry-run", "x.json"}).dry_run);
  const auto says = [](const char* command) {
    return std::string("--dry-run is for run, search, sweep and clean; ") + command +
           " puts no load on anything";
  };
  refuses({"check", "x.json", "--dry-run"}, says("check"));
  refuses({"list", "--dry-run"}, says("list"));
  refuses({"report", "x", "--dry-run"}, says("report"));
  refuses({"compare", "a", "--dry-run", "--", "b"}, says("compare"));
}

TEST(Cli, AJunitFileIsRefusedWhereNoneIsWritten) {
  refuses({"sweep", "x.json", "--junit", "x.xml"}, "--junit is for run; sweep writes no JUnit XML");
  refuses({"search", "--junit=x.xml", "x.json"}, "--junit is for run; search writes no JUnit XML");
  refuses({"check", "--junit", "x.xml"}, "--junit is for run; check writes no JUnit XML");
}

TEST(Cli, CompareTakesFoldersOnBothSidesOfTheDashes) {
  const CommandLine line = taken({"compare", "a", "b", "--", "c", "d"});
  EXPECT_EQ(line.command, Command::compare);
  EXPECT_THAT(line.compare.base, testing::ElementsAre("a", "b"));
  EXPECT_THAT(line.compare.candidate, testing::ElementsAre("c", "d"));
  EXPECT_FALSE(line.compare.force);
  EXPECT_THAT(line.compare.fail_on, testing::IsEmpty());
  EXPECT_EQ(line.compare.output_dir, "./profiling-results");
}

TEST(Cli, CompareTakesItsOptionsOnEitherSide) {
  const std::vector<const char*> gates{"consumer.lagMs.p99 > +5%", "consumer.throughput < -3%"};
  for (const auto& words :
       std::vector<std::vector<const char*>>{{"compare", "--force", "--fail-on", gates[0], "--fail-on",
                                              gates[1], "--output", "out", "a", "--", "b"},
                                             {"compare", "a", "--force", "--", "b", "--fail-on", gates[0],
                                              "--fail-on", gates[1], "--output", "out"}}) {
    const CommandLine line = taken(words);
    EXPECT_THAT(line.compare.base, testing::ElementsAre("a"));
    EXPECT_THAT(line.compare.candidate, testing::ElementsAre("b"));
    EXPECT_TRUE(line.compare.force);
    EXPECT_THAT(line.compare.fail_on, testing::ElementsAre(gates[0], gates[1]));
    EXPECT_EQ(line.compare.output_dir, "out");
  }
}

TEST(Cli, CompareNeedsBothSides) {
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"compare"}, {"compare", "a"}, {"compare", "a", "b"}, {"compare", "--", "a"}}) {
    refuses(words, "compare: write compare BASE... -- CANDIDATE..., run folders on both sides");
  }
}

TEST(Cli, ReportNeedsAFolderAndListHasADefault) {
  EXPECT_EQ(taken({"report", "results/x"}).folder, "results/x");
  refuses({"report"}, "report: name a run's folder");
  EXPECT_EQ(taken({"list"}).command, Command::list);
  EXPECT_TRUE(taken({"list"}).folder.empty());
  EXPECT_EQ(taken({"list"}).output_dir, "./profiling-results");
  EXPECT_EQ(taken({"list", "--output", "there"}).output_dir, "there");
  EXPECT_EQ(taken({"list", "here"}).folder, "here");
}

TEST(Cli, WhatIsOneTooManyIsRefused) {
  refuses({"report", "a", "b"}, "report takes one folder; \"b\" is one too many");
  refuses({"list", "a", "b"}, "list takes one folder; \"b\" is one too many");
  refuses({"run", "--vary", "seed=1,2"}, "unknown option --vary");
}

TEST(Cli, FlagsOfAConfigAreLetPassWhereNoneIsRead) {
  EXPECT_EQ(taken({"list", "-c", "x.json", "--output", "o", "-t", "5"}).output_dir, "o");
  EXPECT_EQ(taken({"report", "a", "--config", "x.json", "--output", "o"}).folder, "a");
}

TEST(Cli, TheFlagsOfARunFitItsCheckAndItsCleaning) {
  for (const char* command : {"check", "clean"}) {
    EXPECT_EQ(taken({command, "-t", "5", "-d", "9", "-w", "2", "--name", "n", "--seed", "3", "--output", "o",
                     "--private-clickhouse", "-q", "--no-color"})
                  .request.overrides.size(),
              8U);
  }
}

TEST(Cli, VersionNamesVersionRevisionAndBuildType) {
  const auto parsed = parse({"--version"});
  ASSERT_TRUE(std::holds_alternative<Answer>(parsed));
  EXPECT_EQ(std::get<Answer>(parsed).exit_code, 0);
  EXPECT_THAT(std::get<Answer>(parsed).text,
              testing::MatchesRegex("walstorm [0-9.]+ \\(git ([0-9a-f]+(-dirty)?|unknown), .+ build\\)\n"));
}

}  // namespace
}  // namespace walstorm
