#include "orchestrator/compare/differences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/orchestrator/compare/example_runs.h"

namespace walstorm::compare::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> texts(const Runs& base, const Runs& candidate) {
  std::vector<std::string> lines;
  for (const Difference& difference : differences_of(base, candidate))
    lines.push_back(difference_text(difference));
  return lines;
}

/// The candidate's config differs in one leaf.
Runs with(const std::string& path, const std::string& value) {
  Runs runs = runs_with({10}, "candidate");
  runs[0].config[path] = value;
  return runs;
}

TEST(Differences, OfEqualRunsAreNone) {
  EXPECT_THAT(differences_of(runs_with({10, 20}), runs_with({30})), IsEmpty());
}

TEST(Differences, ComeInTheOrderVersionsLoadSettings) {
  Runs candidate = with("consumer.flushBatchSize", "200");
  candidate[0].config["producer.batchSize"] = "1000";
  candidate[0].tool.git_revision = "def5678";
  candidate[0].report.environment.postgres_version = "17.0";
  candidate[0].report.environment.postgres_settings["wal_level"] = "other";
  EXPECT_THAT(texts(runs_with({10}), candidate),
              ElementsAre("walstorm: 0.1.0 (abc1234, Release) -> 0.1.0 (def5678, Release)",
                          "PostgreSQL: 15.8 -> 17.0", "PostgreSQL's wal_level: logical -> other",
                          "producer.batchSize: 100 -> 1000", "consumer.flushBatchSize: 50 -> 200"));
}

TEST(Differences, OfPhasesAndProducersAreOfTheLoad) {
  const Runs base = runs_with({10});
  for (const char* path : {"phases.1.name", "phases.1.durationSec", "phases.1.targetThroughput",
                           "phases.2.name", "phases.1.records", "producer.batchSize", "producer.writeMode"}) {
    EXPECT_TRUE(load_differs(differences_of(base, with(path, "7")))) << path;
  }
  for (const char* path : {"seed", "consumer.flushBatchSize", "database.settings.synchronous_commit"}) {
    const auto differences = differences_of(base, with(path, "7"));
    EXPECT_EQ(differences.size(), 1U) << path;
    EXPECT_FALSE(load_differs(differences)) << path;
  }
}

TEST(Differences, LeaveOutWhatSaysNothingOfARun) {
  for (const char* path : {"name", "description", "profiling.outputDir", "sweep.repeats"})
    EXPECT_THAT(texts(runs_with({10}), with(path, "other")), IsEmpty()) << path;
}

TEST(Differences, LeaveOutWhereAPrivateServerListenedAndShowAnotherServer) {
  Runs shared = with("database.url", "host=/tmp/walstorm-postgres-Ab12 dbname=postgres");
  EXPECT_THAT(texts(runs_with({10}), shared), IsEmpty());
  Runs base = with("clickhouse.url", "private");
  shared[0].config["clickhouse.url"] = "http://127.0.0.1:35123";
  EXPECT_THAT(texts(base, shared), IsEmpty());
  EXPECT_THAT(texts(runs_with({10}), with("database.url", "postgresql://db/other")),
              ElementsAre("database.url: private -> postgresql://db/other"));
  Runs local = with("clickhouse.url", "http://127.0.0.1:8123");
  EXPECT_THAT(texts(base, local), ElementsAre("clickhouse.url: private -> http://127.0.0.1:8123"))
      << "a server of the user's own";
}

TEST(Differences, WithinASideAreShownToo) {
  Runs base = runs_with({10, 10, 10});
  base[1].config["consumer.flushBatchSize"] = "200";
  EXPECT_THAT(texts(base, runs_with({10})), ElementsAre("consumer.flushBatchSize: 50, 200 -> 50"));
}

}  // namespace
}  // namespace walstorm::compare::test
