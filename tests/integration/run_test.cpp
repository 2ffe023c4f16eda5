// Runs that go well, and their reports held against an independent look.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Run, ProducesTrueReportsForEachPhase) {
  WalstormRun run(config_with({phase("steady", 3, 2000), phase("ramp", 3, {{"from", 500}, {"to", 2500}})},
                              {{"producer", {{"deleteRatio", 0.1}, {"workerCount", 2}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  expect_nothing_left(run);
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["schemaVersion"], 1);
  EXPECT_EQ(metrics["run"]["outcome"], "passed");
  EXPECT_EQ(metrics["run"]["exitCode"], 0);
  ASSERT_EQ(metrics["phases"].size(), 2U);
  const std::vector<std::uint64_t> due = {6000, 4500};
  for (std::size_t i = 0; i < 2; ++i) {
    const json& report = metrics["phases"][i];
    EXPECT_EQ(report["producer"]["records"], due[i]);
    EXPECT_EQ(report["producer"]["notStarted"], 0);
    EXPECT_NEAR(report["producer"]["targetRatio"], 1.0, 0.005);
    EXPECT_NEAR(report["durationSec"], 3.0, 0.1);
    expect_clean_changes(report["ledger"]);
    EXPECT_EQ(report["consumer"]["lagMs"]["count"], due[i]);
    EXPECT_GT(report["consumer"]["lagMs"]["p50"], 0) << "a lag of 0 was never measured";
    EXPECT_GT(report["consumer"]["cpuMicrosPerRecord"], 0);
    EXPECT_GT(report["producer"]["cpuMicrosPerRecord"], 0);
    EXPECT_EQ(report["drain"]["completed"], true);
    const double stages = report["consumer"]["receiveMs"]["mean"].get<double>() +
                          report["consumer"]["queueMs"]["mean"].get<double>() +
                          report["consumer"]["flushMs"]["mean"].get<double>();
    EXPECT_NEAR(stages, report["consumer"]["lagMs"]["mean"].get<double>(), 0.01);
  }
  const json& rows = metrics["ledger"]["rows"];
  EXPECT_EQ(rows["postgres"], rows["expected"]);
  EXPECT_EQ(rows["checksumMatches"], true);
  EXPECT_TRUE(rows["landed"].is_null()) << "the mock lands nothing that could be counted";
  EXPECT_EQ(metrics["ledger"]["content"]["sampled"], 1000);
  EXPECT_EQ(metrics["ledger"]["content"]["postgresMatches"], 1000);
  for (const char* file :
       {"report.md", "timeseries.csv", "config.json", "logs/producer-1.log", "logs/postgres.log"}) {
    EXPECT_THAT(run.read(file), testing::Not(IsEmpty())) << file;
  }
}

TEST(Run, CopyModeAndAPhaseBoundedByRecordsGiveACleanLedger) {
  json bounded = phase("bounded", 30, "max");
  bounded["records"] = 20'000;
  WalstormRun run(config_with({bounded, phase("after", 1, 1000)},
                              {{"producer", {{"writeMode", "copy"}, {"insertUpdateRatio", 0.5}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["phases"][0]["producer"]["records"], 20'000);
  EXPECT_LT(metrics["phases"][0]["durationSec"], 20);
  EXPECT_TRUE(metrics["phases"][0]["producer"]["targetRatio"].is_null()) << "max has no target";
  EXPECT_EQ(metrics["phases"][0]["producer"]["writeLatencyMs"]["count"], 0) << "max has no due times";
  EXPECT_TRUE(metrics["phases"][0]["producer"]["writeLatencyMs"]["p50"].is_null());
  EXPECT_EQ(metrics["phases"][1]["producer"]["records"], 1000);
  expect_clean_changes(metrics["ledger"]["changes"]);
}

TEST(Run, SinkDelayIsInTheLag) {
  WalstormRun run(config_with({phase("delayed", 4, 1000)},
                              {{"consumer", {{"mockClickhouseDelay", 250}, {"flushIntervalMs", 20}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json consumer = run.metrics()["phases"][0]["consumer"];
  EXPECT_GT(consumer["flushMs"]["p50"], 249);
  EXPECT_LT(consumer["flushMs"]["p50"], 265);
  EXPECT_GT(consumer["lagMs"]["p50"], consumer["flushMs"]["p50"]);
  EXPECT_LT(consumer["lagMs"]["p50"], 320);
}

TEST(Run, SinkSlowerThanTheLoadIsFallingBehindAndItsRestInTransit) {
  WalstormRun run(config_with(
      {phase("overload", 6, 2000)},
      {{"consumer",
        {{"mock", {{"maxRecordsPerSec", 1000}}}, {"flushBatchSize", 50}, {"maxFlushConcurrency", 4}}},
       {"drain", {{"timeoutSec", 1}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  const json& report = metrics["phases"][0];
  EXPECT_EQ(report["producer"]["records"], 12'000)
      << "the producer is open loop: a slow sink does not slow it";
  EXPECT_EQ(report["verdict"]["state"], "falling-behind");
  EXPECT_EQ(report["verdict"]["bottleneck"], "sink");
  EXPECT_NEAR(report["verdict"]["capacityEstimate"], 1000, 50);
  EXPECT_NEAR(report["consumer"]["throughput"], 1000, 50);
  EXPECT_EQ(report["drain"]["completed"], false);
  EXPECT_GT(report["ledger"]["inTransit"], 3000);
  EXPECT_TRUE(report["ledger"]["missing"].is_null() || report["ledger"]["missing"] == 0);
  EXPECT_EQ(report["consumer"]["censored"], report["ledger"]["inTransit"]);
  EXPECT_EQ(report["consumer"]["lagMs"]["count"], 12'000)
      << "records not yet landed are in the lag with their age";
  EXPECT_GT(report["consumer"]["lagMs"]["p99"], 2500) << "an overload must not flatter its p99";
}

TEST(Run, WhoseSinkTookNothingAnyMoreFailsAlthoughItHasNotGivenUpYet) {
  WalstormRun run(config_with({phase("p", 4, 500)}, {{"consumer", {{"mock", {{"errorRate", 1}}}}},
                                                     {"clickhouse", {{"giveUpSec", 600}}},
                                                     {"drain", {{"timeoutSec", 2}}}}));
  EXPECT_EQ(run.finish().code, 1) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("the sink took nothing any more"));
  EXPECT_THAT(run.output(), HasSubstr("2,000 changes in transit"));
  const json ledger = run.metrics()["ledger"];
  EXPECT_EQ(ledger["changes"]["inTransit"], 2000);
  EXPECT_EQ(ledger["rows"]["inTransit"], 2000);
  expect_nothing_left(run);
}

TEST(Run, RowsLeftOverByOnePhaseDoNotCountForTheNext) {
  json burst = phase("burst", 3, 0);
  burst["targetThroughput"] = "max";
  burst["records"] = 3000;
  const json stall = {{"atSec", 0}, {"durationSec", 4}};
  WalstormRun run(
      config_with({burst, phase("calm", 5, 120)},
                  {{"consumer", {{"mock", {{"stalls", {stall}}}}}}, {"drain", {{"timeoutSec", 0.2}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["phases"][0]["ledger"]["inTransit"], 3000);
  EXPECT_EQ(metrics["phases"][1]["ledger"]["produced"], 600);
  EXPECT_EQ(metrics["phases"][1]["ledger"]["acknowledged"], 600);
  EXPECT_EQ(metrics["phases"][1]["ledger"]["checksumMatches"], true);
  EXPECT_EQ(metrics["ledger"]["changes"]["acknowledged"], 3600) << "late is not lost";
  EXPECT_EQ(metrics["ledger"]["changes"]["checksumMatches"], true);
}

TEST(Run, AckPoliciesAndTextFormGiveTheSameLedger) {
  for (const char* policy : {"onReceive", "never"}) {
    WalstormRun run(
        config_with({phase("p", 1.5, 2000)}, {{"consumer", {{"ackPolicy", policy}, {"binary", false}}}}));
    EXPECT_EQ(run.finish().code, 0) << policy << run.output();
    expect_clean_changes(run.metrics()["ledger"]["changes"]);
  }
}

TEST_F(OnAServer, ReportAgreesWithPsqlAndTheSlotIsGone) {
  WalstormRun run(config({phase("p", 2, 2000)}, {{"producer", {{"deleteRatio", 0.05}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const auto row =
      one("SELECT count(*), count(*) FILTER (WHERE status NOT IN ('PENDING','QUEUED','EXECUTING',"
          "'COMPLETED','FAILED','CANCELED')), count(DISTINCT \"organizationId\"), avg(length(payload)) "
          "FROM \"TaskRun\"",
          "walstorm_profiling");
  EXPECT_EQ(row[0].as<std::uint64_t>(), run.metrics()["ledger"]["rows"]["postgres"].get<std::uint64_t>());
  EXPECT_EQ(row[1].as<int>(), 0);
  EXPECT_GT(row[2].as<int>(), 1);
  EXPECT_NEAR(row[3].as<double>(), 1024, 60);
  expect_no_slot();
}

TEST_F(OnAServer, TwoRunsInARowGiveTwoCleanLedgers) {
  for (int i = 0; i < 2; ++i) {
    WalstormRun run(config({phase("p", 1, 1000)}));
    EXPECT_EQ(run.finish().code, 0) << run.output();
    expect_clean_changes(run.metrics()["ledger"]["changes"]);
    EXPECT_EQ(run.metrics()["ledger"]["rows"]["checksumMatches"], true);
  }
}

TEST_F(OnAServer, ConfirmedPositionFollowsTheSinkAndNotTheSocket) {
  // A sink that takes a minute to answer: nothing is acknowledged, so nothing may be confirmed.
  const json blocked = {{"consumer", {{"mockClickhouseDelay", 60'000}}}, {"drain", {{"timeoutSec", 0.5}}}};
  WalstormRun run(config({phase("p", 4, 1000)}, blocked));
  const auto behind = [this] {
    return one("SELECT coalesce(max(r.sent_lsn - s.confirmed_flush_lsn), 0) FROM pg_replication_slots s JOIN "
               "pg_stat_replication r ON r.pid = s.active_pid")[0]
        .as<std::int64_t>();
  };
  run.wait_until([&] { return behind() > 500'000; });
  EXPECT_EQ(run.finish().code, 1) << run.output();  // nothing landed in the drain either
  EXPECT_EQ(run.metrics()["ledger"]["changes"]["acknowledged"], 0);
  EXPECT_GT(run.metrics()["phases"][0]["consumer"]["walBehindBytes"]["end"], 500'000);
  expect_no_slot();
}

TEST_F(OnAServer, StreamOutlivesASinkThatIsBlockedForLongerThanTheServersTimeout) {
  postgres::PrivateServer hasty(loop_, {{"wal_sender_timeout", "1s"}}, logs_.path() / "hasty.log");
  WalstormRun run(config(
      {phase("blocked", 6, 500)},
      {{"database", {{"url", url_of(hasty)}}},
       {"consumer", {{"mockClickhouseDelay", 5000}, {"maxFlushConcurrency", 2}, {"flushBatchSize", 1000}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  expect_clean_changes(run.metrics()["ledger"]["changes"]);
  EXPECT_GT(run.metrics()["phases"][0]["consumer"]["lagMs"]["p50"], 4000);
  EXPECT_THAT(process::last_lines(logs_.path() / "hasty.log", 100),
              testing::Not(HasSubstr("replication timeout")));
}

TEST_F(OnAServer, SlowSinkHoldsBackTheReaderAndNotTheMemory) {
  WalstormRun run(
      config({phase("flood", 2, 3000)},
             {{"consumer", {{"mockClickhouseDelay", 1000}, {"maxBufferedMB", 1}, {"flushBatchSize", 500}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json report = run.metrics()["phases"][0];
  EXPECT_EQ(report["producer"]["records"], 6000);
  EXPECT_LT(report["consumer"]["bufferedBytesMax"], 2 << 20);
  EXPECT_LT(report["consumer"]["heapBytesMax"], 16 << 20);
  EXPECT_GT(report["consumer"]["walBehindBytes"]["max"], 3 << 20) << "what is not read waits in the WAL";
  expect_clean_changes(report["ledger"]);
}

}  // namespace
}  // namespace walstorm::tests
