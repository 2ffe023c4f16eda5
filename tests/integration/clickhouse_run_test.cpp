// Whole runs into a real ClickHouse: what lands is counted there, by the run and by an independent look; what
// somebody falsifies is found; what goes away comes back or ends the run.

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include <nlohmann/json.hpp>

#include "orchestrator/process/event_loop.h"
#include "tests/support/clickhouse.h"
#include "tests/support/clickhouse_query.h"
#include "tests/support/restartable_clickhouse.h"
#include "tests/support/run_fixture.h"
#include "tests/support/sabotage.h"
#include "tests/support/walstorm_run.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// As config_with, into ClickHouse at `url`.
json into(const std::string& url, const std::vector<json>& phases, const json& changes = json::object()) {
  json config =
      config_with(phases, {{"clickhouse", {{"url", url}}}, {"consumer", {{"useMockClickhouse", false}}}});
  config.merge_patch(changes);
  return config;
}

void expect_all_landed(const json& metrics) {
  const json& rows = metrics["ledger"]["rows"];
  EXPECT_GT(rows["expected"], 0);
  EXPECT_EQ(rows["postgres"], rows["expected"]);
  EXPECT_EQ(rows["landed"], rows["expected"]);
  EXPECT_EQ(rows["checksumMatches"], true);
  const json& content = metrics["ledger"]["content"];
  EXPECT_GT(content["sampled"], 0);
  EXPECT_EQ(content["landedMatches"], content["sampled"]) << content;
}

TEST(FullStack, LandsEveryRowOnTwoPrivateServersAndLeavesNothing) {
  SKIP_WITHOUT_CLICKHOUSE();
  WalstormRun run(into("private", {phase("a", 2, 1000), phase("b", 2, 2000)},
                       {{"producer", {{"deleteRatio", 0.1}, {"insertUpdateRatio", 0.6}}},
                        {"consumer", {{"flushBatchSize", 500}}}}));
  expect_clean_run(run);
  const json metrics = run.metrics();
  expect_all_landed(metrics);
  EXPECT_THAT(metrics["environment"]["clickhouseVersion"].get<std::string>(), Not(IsEmpty()));
  const json& consumer = metrics["phases"][1]["consumer"];
  EXPECT_GT(consumer["flushMs"]["p50"], 0);
  EXPECT_GT(consumer["wireBytes"], 0);
  EXPECT_GT(consumer["recordsPerFlush"], 1);
  EXPECT_GT(consumer["parts"]["created"], 0);
  EXPECT_LE(consumer["parts"]["created"], 2 * consumer["batches"].get<std::uint64_t>() + 2)
      << "a part for each insert, and month";
  EXPECT_GT(consumer["parts"]["activeEnd"], 0);
  std::vector<std::string> roles;
  for (const json& process : metrics["phases"][1]["processes"]) {
    roles.push_back(process["role"]);
    if (roles.back() == "clickhouse") {
      EXPECT_GT(process["cpuMicrosPerRecord"], 0);
    }
  }
  EXPECT_THAT(roles, Contains("clickhouse"));
  EXPECT_THAT(run.read("timeseries.csv"), HasSubstr("clickhouse.cpuShare"));
  EXPECT_THAT(run.read("config.json"), Not(HasSubstr("password")));
}

TEST(FullStack, FlushesOfOneRecordAreInsertsOfOneRow) {
  SKIP_WITHOUT_CLICKHOUSE();
  WalstormRun run(into("private", {phase("p", 2, 60)},
                       {{"producer", {{"batchSize", 5}, {"insertUpdateRatio", 1}}},
                        {"consumer", {{"flushBatchSize", 1}, {"insertFormat", "rowBinary"}}}}));
  expect_clean_run(run);
  const json metrics = run.metrics();
  expect_all_landed(metrics);
  EXPECT_EQ(metrics["phases"][0]["consumer"]["recordsPerFlush"], 1);
  EXPECT_EQ(metrics["phases"][0]["consumer"]["batches"], 120);
}

class OwnClickhouse : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_CLICKHOUSE();
    server_ = std::make_unique<RestartableClickhouse>(loop_);
  }

  std::string ask(const std::string& sql) { return ask_clickhouse(loop_, server_->url(), sql); }
  /// Of the run that began last.
  LandedRun landed_run() {
    return {server_->url(), "walstorm.task_runs", std::stoull(ask("SELECT max(run_id) FROM walstorm.runs"))};
  }
  /// Interferes once the first phase is over and the second is on, which adds little.
  json interfered(const std::function<void(const LandedRun&, const std::string& id)>& interfere) {
    WalstormRun run(into(server_->url(), {phase("rows", 1, 500), phase("more", 4, 20)},
                         {{"producer", {{"insertUpdateRatio", 1}, {"batchSize", 10}}}}));
    run.wait_for_output("phase more");
    const LandedRun landed = landed_run();
    interfere(landed, landed_id(loop_, landed, 7));
    EXPECT_EQ(run.finish().code, 1) << run.output();
    expect_nothing_left(run);
    return run.metrics();
  }

  process::EventLoop loop_;
  std::unique_ptr<RestartableClickhouse> server_;
};

TEST_F(OwnClickhouse, HoldsTwoRunsOfOneSeedSideBySide) {
  std::uint64_t landed = 0;
  for (int i = 0; i < 2; ++i) {
    WalstormRun run(into(server_->url(), {phase("p", 1.5, 800)}, {{"producer", {{"deleteRatio", 0.1}}}}));
    expect_clean_run(run);
    expect_all_landed(run.metrics());
    landed += run.metrics()["ledger"]["rows"]["landed"].get<std::uint64_t>();
  }
  EXPECT_EQ(ask("SELECT count() FROM walstorm.task_runs FINAL WHERE _is_deleted = 0"),
            std::to_string(landed));
  EXPECT_EQ(ask("SELECT uniqExact(_run_id) FROM walstorm.task_runs"), "2");
  EXPECT_EQ(ask("SELECT count() FROM walstorm.migrations"),
            ask("SELECT uniqExact(number) FROM walstorm.migrations"));
}

TEST_F(OwnClickhouse, AnAlteredValueIsFoundThoughItsHashWasNot) {
  const json metrics =
      interfered([&](const LandedRun& run, const std::string& id) { alter_landed_value(loop_, run, id); });
  EXPECT_THAT(metrics["run"]["failure"].get<std::string>(), HasSubstr("ledger"));
  EXPECT_EQ(metrics["ledger"]["rows"]["brokenAt"], nullptr);
  const json& content = metrics["ledger"]["content"];
  EXPECT_EQ(content["postgresMatches"], content["sampled"]);
  EXPECT_EQ(content["landedMatches"], content["sampled"].get<int>() - 1);
  EXPECT_THAT(content["differences"].dump(), HasSubstr("differs in ClickHouse: payload"));
}

TEST_F(OwnClickhouse, ADroppedRowIsMissingAtTheSink) {
  const json metrics =
      interfered([&](const LandedRun& run, const std::string& id) { drop_landed_row(loop_, run, id); });
  const json& rows = metrics["ledger"]["rows"];
  EXPECT_EQ(rows["postgres"], rows["expected"]);
  EXPECT_EQ(rows["landed"], rows["expected"].get<int>() - 1);
  EXPECT_EQ(rows["brokenAt"], "sink");
}

TEST_F(OwnClickhouse, ARowThatIsThereTwiceIsOneTooMany) {
  const json metrics =
      interfered([&](const LandedRun& run, const std::string& id) { land_row_twice(loop_, run, id); });
  const json& rows = metrics["ledger"]["rows"];
  EXPECT_EQ(rows["landed"], rows["expected"].get<int>() + 1);
  EXPECT_EQ(rows["checksumMatches"], false);
  EXPECT_EQ(rows["brokenAt"], "sink");
}

TEST_F(OwnClickhouse, StoppedAndStartedAgainHasEveryRowAndTheStreamHasLived) {
  const json short_timeout = {{"url", "private"}, {"settings", {{"wal_sender_timeout", "2s"}}}};
  WalstormRun run(
      into(server_->url(), {phase("outage", 12, 800)},
           {{"database", short_timeout}, {"consumer", {{"flushBatchSize", 200}, {"maxBufferedMB", 2}}}}));
  run.wait_for_output("phase outage");
  server_->stop();
  (void)comes_true(loop_, seconds(5), [] { return false; });
  server_->start();
  expect_clean_run(run);
  const json metrics = run.metrics();
  expect_all_landed(metrics);
  const json& consumer = metrics["phases"][0]["consumer"];
  EXPECT_GT(consumer["errors"], 0);
  EXPECT_GT(consumer["retries"], 0);
  EXPECT_GT(consumer["lagMs"]["max"], 4000);
  EXPECT_LE(consumer["bufferedBytesMax"], (2 << 20) + (2 << 20)) << "one batch and its body beyond the bound";
  EXPECT_EQ(metrics["ledger"]["changes"]["replayed"], 0) << "the stream was lost";
  EXPECT_NE(metrics["phases"][0]["verdict"]["state"], "sustained");
  EXPECT_THAT(consumer["flushErrorLast"].get<std::string>(), HasSubstr("127.0.0.1"));
  EXPECT_THAT(run.read("report.md"), HasSubstr("flushes failed"));
}

TEST_F(OwnClickhouse, GoneForGoodEndsTheRunAndConfirmsNothingThatHasNotLanded) {
  WalstormRun run(into(server_->url(), {phase("p", 30, 400)}, {{"clickhouse", {{"giveUpSec", 2}}}}));
  run.wait_for_output("phase p");
  (void)comes_true(loop_, seconds(1), [] { return false; });
  server_->stop();
  EXPECT_EQ(run.finish(seconds(60)).code, 1) << run.output();
  const json metrics = run.metrics();
  EXPECT_THAT(metrics["run"]["failure"].get<std::string>(), HasSubstr("flush into the sink"));
  EXPECT_THAT(metrics["run"]["failure"].get<std::string>(), HasSubstr("not confirmed past"));
  EXPECT_EQ(metrics["phases"][0]["outcome"], "failed");
  EXPECT_EQ(metrics["ledger"]["rows"]["landed"], nullptr) << "what was not measured is not a number";
  expect_nothing_left(run);
}

class OwnServers : public OnAServer {};

TEST_F(OwnServers, NothingIsConfirmedThatHasNotLanded) {
  SKIP_WITHOUT_CLICKHOUSE();
  RestartableClickhouse clickhouse(loop_);
  WalstormRun run(
      config({phase("p", 30, 400)}, {{"clickhouse", {{"url", clickhouse.url()}, {"giveUpSec", 5}}},
                                     {"consumer", {{"useMockClickhouse", false}}}}));
  const auto confirmed = [this] {
    return one("SELECT confirmed_flush_lsn::text FROM pg_replication_slots").at(0).as<std::string>();
  };
  const auto after = [this](double sec) {
    (void)comes_true(loop_, std::chrono::milliseconds(static_cast<int>(sec * 1000)), [] { return false; });
  };
  run.wait_for_output("phase p");
  const std::string at_start = confirmed();
  after(2.5);
  clickhouse.stop();
  after(1.5);  // what had landed is confirmed within a second
  const std::string at_stop = confirmed();
  EXPECT_NE(at_stop, at_start);
  after(1.5);
  EXPECT_EQ(confirmed(), at_stop) << "moved while nothing landed";
  EXPECT_EQ(run.finish(seconds(60)).code, 1) << run.output();
  expect_no_slot();
}

TEST_F(OwnClickhouse, RefusesAWrongPasswordBeforeAnythingIsMade) {
  const std::string url = server_->url();
  const auto at = url.rfind('@');
  WalstormRun run(into(url.substr(0, at) + "x" + url.substr(at), {phase("p", 1, 100)}));
  EXPECT_EQ(run.finish().code, 3) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("ClickHouse"));
  EXPECT_THAT(run.output(), Not(HasSubstr(url.substr(0, at)))) << "shows the password";
  EXPECT_EQ(run.run_folder(), std::nullopt);
  expect_nothing_left(run);
}

TEST_F(OwnClickhouse, OldServersAreToldWhatTheyLack) {
  if (ask("SELECT version()").substr(0, 3) != "18.") GTEST_SKIP() << "this ClickHouse has all of it";
  WalstormRun format(
      into(server_->url(), {phase("p", 1, 100)}, {{"consumer", {{"insertFormat", "jsonCompactEachRow"}}}}));
  EXPECT_EQ(format.finish().code, 3) << format.output();
  EXPECT_THAT(format.output(), HasSubstr("jsonCompactEachRow"));
  WalstormRun compression(
      into(server_->url(), {phase("p", 1, 100)}, {{"consumer", {{"compression", "lz4"}}}}));
  EXPECT_EQ(compression.finish().code, 3) << compression.output();
  EXPECT_THAT(compression.output(), HasSubstr("lz4"));
}

}  // namespace
}  // namespace walstorm::tests
