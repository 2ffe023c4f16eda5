#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "tests/support/run_fixture.h"
#include "tests/support/walstorm_run.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json read_json(const std::filesystem::path& file) {
  std::ifstream in(file);
  return in ? json::parse(in, nullptr, false) : json();
}

/// Folders of runs below a command's own.
std::size_t runs_in(const std::filesystem::path& folder) {
  std::size_t runs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (std::filesystem::exists(entry.path() / "metrics.json")) ++runs;
  return runs;
}

constexpr double kCapacity = 2000;

json capped() {
  return config_with({phase("load", 6, 1000)}, {{"consumer", {{"mock", {{"maxRecordsPerSec", kCapacity}}}}},
                                                {"producer", {{"batchSize", 20}}}});
}

const std::vector<std::string> kShortSearch{"--trial-duration", "6s", "--precision", "30%", "--min", "200",
                                            "--max-duration",   "5m"};

/// A search that is broken off after its first trial, and goes on in its folder.
TEST(Search, FindsTheCapacityOfACappedSinkAlsoWhenItIsBrokenOffAndResumed) {
  WalstormRun first(capped(), kShortSearch, WALSTORM_BINARY, "search");
  first.wait_for_output("a first look: ");
  first.wait_for_output("trial 1: ");
  first.send_signal(SIGINT);
  EXPECT_EQ(first.finish().code, 130) << first.output();
  expect_nothing_left(first);
  ASSERT_TRUE(first.run_folder());
  const auto folder = *first.run_folder();
  const json broken_off = read_json(folder / "search.json");
  EXPECT_EQ(broken_off["stopReason"], "interrupted");
  ASSERT_EQ(broken_off["trials"].size(), 1U);

  auto arguments = kShortSearch;
  arguments.insert(arguments.end(), {"--resume", folder.string()});
  WalstormRun second(capped(), arguments, WALSTORM_BINARY, "search");
  EXPECT_EQ(second.finish(std::chrono::seconds(280)).code, 0) << second.output();
  expect_nothing_left(second);
  const json found = read_json(folder / "search.json");
  ASSERT_GE(found["trials"].size(), 3U);
  EXPECT_EQ(found["trials"][0], broken_off["trials"][0]);
  EXPECT_EQ(found["stopReason"], "converged") << second.output();
  EXPECT_LE(found["lastPassing"]["targetThroughput"], kCapacity) << second.output();
  EXPECT_GE(found["firstFailing"]["targetThroughput"], kCapacity) << second.output();
  EXPECT_LE(found["width"], 0.30);
  EXPECT_EQ(found["boundBy"], "sink") << second.output();
  EXPECT_EQ(found["confirmation"]["passed"], true);
  EXPECT_TRUE(
      std::filesystem::exists(folder / found["lastPassing"]["run"].get<std::string>() / "metrics.json"));
  EXPECT_TRUE(std::filesystem::exists(folder / "search.md"));
  EXPECT_THAT(second.output(), HasSubstr("highest passing"));
}

/// What a broken-off look landed is no hint: from nothing the search would climb for an hour.
TEST(Search, KeepsNoFirstLookThatWasBrokenOffAndResumesWithNoOtherConfig) {
  WalstormRun first(capped(), kShortSearch, WALSTORM_BINARY, "search");
  first.wait_until([&first] { return !first.descendants("walstorm-producer").empty(); });
  first.send_signal(SIGINT);
  EXPECT_EQ(first.finish().code, 130) << first.output();
  ASSERT_TRUE(first.run_folder());
  const json broken_off = read_json(*first.run_folder() / "search.json");
  EXPECT_EQ(broken_off["stopReason"], "interrupted");
  EXPECT_TRUE(broken_off["unthrottled"].is_null()) << broken_off["unthrottled"];

  auto arguments = kShortSearch;
  arguments.insert(arguments.end(),
                   {"--resume", first.run_folder()->string(), "--set", "producer.batchSize=21"});
  WalstormRun second(capped(), arguments, WALSTORM_BINARY, "search");
  EXPECT_EQ(second.finish().code, 2);
  EXPECT_THAT(second.output(), HasSubstr("producer.batchSize (was 20, is 21)"));
}

/// A run that the load broke is an answer, and not the end of the search.
TEST(Search, TakesATrialThatFailedForAnAnswerAndSaysSo) {
  WalstormRun run(capped(), kShortSearch, WALSTORM_BINARY, "search");
  run.wait_for_output("trial 1: ");
  run.wait_until([&run] { return !run.descendants("walstorm-consumer").empty(); });
  ::kill(run.descendants("walstorm-consumer").front(), SIGKILL);
  EXPECT_EQ(run.finish(std::chrono::seconds(280)).code, 1) << run.output();
  expect_nothing_left(run);
  ASSERT_TRUE(run.run_folder());
  const json found = read_json(*run.run_folder() / "search.json");
  ASSERT_GE(found["trials"].size(), 3U) << run.output();
  EXPECT_EQ(found["trials"][1]["outcome"], "failed");
  EXPECT_EQ(found["trials"][1]["judged"], "fails");
  EXPECT_THAT(found["trials"][1]["failure"].get<std::string>(), HasSubstr("signal 9"));
  EXPECT_EQ(found["failedRuns"], 1);
  EXPECT_EQ(found["stopReason"], "converged") << run.output();
  EXPECT_LT(found["lastPassing"]["targetThroughput"], found["trials"][1]["value"]);
  EXPECT_THAT(run.output(), HasSubstr("failed runs"));
}

TEST(Search, RefusesAKeyThatIsNotThereAndSaysWhatWasMeant) {
  WalstormRun run(capped(), {"--key", "consumer.flushBatchSise"}, WALSTORM_BINARY, "search");
  EXPECT_EQ(run.finish().code, 2);
  EXPECT_THAT(run.output(), HasSubstr("did you mean consumer.flushBatchSize"));
  EXPECT_FALSE(run.run_folder());
}

TEST(Search, StartsNothingForADryRun) {
  WalstormRun run(capped(), {"--dry-run"}, WALSTORM_BINARY, "search");
  EXPECT_EQ(run.finish().code, 0) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("dry run, nothing is started"));
  EXPECT_FALSE(run.run_folder());
}

TEST(Sweep, StartsNothingForADryRun) {
  WalstormRun run(capped(), {"--vary", "consumer.flushBatchSize=50,200", "--dry-run"}, WALSTORM_BINARY,
                  "sweep");
  EXPECT_EQ(run.finish().code, 0) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("consumer.flushBatchSize=200"));
  EXPECT_FALSE(run.run_folder());
}

TEST(Sweep, TellsTheFasterSinkFromTheSlowerAndKeepsEveryRun) {
  const json config = config_with({phase("load", 5, 500)}, {{"producer", {{"batchSize", 10}}}});
  WalstormRun run(config, {"--vary", "consumer.mockClickhouseDelay=0,150", "--repeats", "2"}, WALSTORM_BINARY,
                  "sweep");
  EXPECT_EQ(run.finish(std::chrono::seconds(200)).code, 0) << run.output();
  expect_nothing_left(run);
  ASSERT_TRUE(run.run_folder());
  const json found = read_json(*run.run_folder() / "sweep.json");
  ASSERT_EQ(found["cells"].size(), 2U);
  EXPECT_EQ(found["trials"].size(), 4U);
  EXPECT_EQ(runs_in(*run.run_folder()), 4U);
  const auto lag_p50 = [&found](std::size_t cell) {
    return found["cells"][cell]["figures"]["consumer.lagMs.p50"]["median"].get<double>();
  };
  EXPECT_GT(lag_p50(1), lag_p50(0) + 100);
  EXPECT_LT(found["effects"]["consumer.lagMs.p50"]["keys"]["consumer.mockClickhouseDelay"]["p"], 0.05);
  EXPECT_TRUE(std::filesystem::exists(*run.run_folder() / "consumer.lagMs.p50.csv"));
}

/// A sink that refuses everything fails its cell's runs, and no other's; --resume goes on past them.
TEST(Sweep, GoesOnPastACellWhoseRunsFail) {
  const json config = config_with({phase("load", 2, 200)},
                                  {{"clickhouse", {{"giveUpSec", 1}}}, {"drain", {{"timeoutSec", 5}}}});
  WalstormRun first(config, {"--vary", "consumer.mock.errorRate=0,1", "--repeats", "2"}, WALSTORM_BINARY,
                    "sweep");
  first.wait_for_output("failed: ");
  first.send_signal(SIGINT);
  EXPECT_EQ(first.finish().code, 130) << first.output();
  ASSERT_TRUE(first.run_folder());
  const auto folder = *first.run_folder();
  const std::size_t made = read_json(folder / "sweep.json")["trials"].size();

  WalstormRun second(config,
                     {"--vary", "consumer.mock.errorRate=0,1", "--repeats", "2", "--resume", folder.string()},
                     WALSTORM_BINARY, "sweep");
  EXPECT_EQ(second.finish().code, 1) << second.output();
  expect_nothing_left(second);
  const json found = read_json(folder / "sweep.json");
  EXPECT_LT(made, 4U);
  ASSERT_EQ(found["trials"].size(), 4U) << second.output();
  EXPECT_EQ(found["stopReason"], "finished");
  EXPECT_EQ(found["failedRuns"], 2);
  EXPECT_EQ(found["cells"][0]["failedRuns"], 0);
  EXPECT_EQ(found["cells"][1]["failedRuns"], 2);
  EXPECT_EQ(found["cells"][0]["figures"]["consumer.lagMs.p50"]["count"], 2);
  EXPECT_EQ(found["cells"][1]["figures"]["consumer.lagMs.p50"]["count"], 0);
  EXPECT_THAT(second.output(), HasSubstr("2 of 4 runs failed"));
}

/// Each of its runs tries in vain to reach the server.
TEST(Sweep, GoesOnPastACellWhoseRunsCannotBegin) {
  const json config = config_with({phase("load", 2, 200)}, {{"producer", {{"batchSize", 10}}}});
  WalstormRun run(config,
                  {"--vary", "clickhouse.url=http://127.0.0.1:1/", "--vary",
                   "consumer.useMockClickhouse=true,false", "--repeats", "1"},
                  WALSTORM_BINARY, "sweep");
  EXPECT_EQ(run.finish(std::chrono::seconds(200)).code, 1) << run.output();
  expect_nothing_left(run);
  ASSERT_TRUE(run.run_folder());
  const json found = read_json(*run.run_folder() / "sweep.json");
  EXPECT_EQ(found["stopReason"], "finished");
  EXPECT_EQ(found["failedRuns"], 1);
  EXPECT_THAT(run.output(), HasSubstr("could not begin: "));
}

TEST(Sweep, SetsWhatItVariesOfAPrivateServerInTheWritingSessions) {
  const json config =
      config_with({phase("load", 2, 200)}, {{"database", {{"settings", {{"synchronous_commit", "on"}}}}}});
  WalstormRun run(config, {"--vary", "database.settings.synchronous_commit=on,off", "--repeats", "1"},
                  WALSTORM_BINARY, "sweep");
  EXPECT_EQ(run.finish().code, 0) << run.output();
  ASSERT_TRUE(run.run_folder());
  std::size_t runs = 0;
  std::size_t varied = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*run.run_folder())) {
    const json of_run = read_json(entry.path() / "config.json");
    if (!of_run.is_object()) continue;
    ++runs;
    varied += of_run["database"]["settings"] == json{{"synchronous_commit", "off"}} ? 1 : 0;
  }
  EXPECT_EQ(runs, 2U);
  EXPECT_EQ(varied, 1U);
}

/// It does not come back: the run ends with it, as one with a private server of its own does.
TEST(Sweep, NamesThePrivateServerThatDied) {
  WalstormRun run(config_with({phase("load", 60, 200)}),
                  {"--vary", "consumer.flushBatchSize=50,200", "--repeats", "1"}, WALSTORM_BINARY, "sweep");
  run.wait_until([&run] { return !run.descendants("walstorm-producer").empty(); });
  const auto servers = run.descendants("/bin/postgres");
  ASSERT_FALSE(servers.empty());
  ::kill(servers.front(), SIGKILL);
  run.wait_until([&run] {
    const auto folder = run.run_folder();
    if (!folder) return false;
    for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
      const json metrics = read_json(entry.path() / "metrics.json");
      if (!metrics.is_object()) continue;
      const auto failure = metrics["run"]["failure"].get<std::string>();
      EXPECT_THAT(failure, HasSubstr("the private PostgreSQL ended: signal 9"));
      return true;
    }
    return false;
  });
  run.send_signal(SIGINT);
  (void)run.finish();
  EXPECT_THAT(run.survivors(), testing::IsEmpty());
}

TEST(Sweep, FailsForASettingThatNoSessionCanHave) {
  WalstormRun run(config_with({phase("load", 2, 200)}),
                  {"--vary", "database.settings.max_wal_size=1GB,2GB", "--repeats", "1"}, WALSTORM_BINARY,
                  "sweep");
  EXPECT_EQ(run.finish().code, 1) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("\"max_wal_size\" cannot be changed now"));
  expect_nothing_left(run);
}

TEST(Sweep, RefusesABadValueOfTheLastCellBeforeAnythingRuns) {
  WalstormRun run(capped(),
                  {"--vary", "consumer.flushBatchSize=50,0", "--vary", "consumer.flushIntervalMs=100,x"},
                  WALSTORM_BINARY, "sweep");
  EXPECT_EQ(run.finish().code, 2);
  EXPECT_THAT(run.output(), HasSubstr("consumer.flushBatchSize=0"));
  EXPECT_THAT(run.output(), HasSubstr("consumer.flushIntervalMs"));
  EXPECT_FALSE(run.run_folder());
}

}  // namespace
}  // namespace walstorm::tests
