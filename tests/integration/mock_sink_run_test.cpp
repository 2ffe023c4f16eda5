// Runs against a mock sink that misbehaves on order: what it did must show, and nothing may be lost.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(OnAServer, ASinkThatFailsAndStallsLosesNothingAndShowsInTheFigures) {
  WalstormRun run(config(
      {phase("rough", 4, 1000)},
      {{"consumer",
        {{"mock",
          {{"errorRate", 0.3}, {"jitterMs", 20}, {"stalls", {{{"atSec", 0.5}, {"durationSec", 1.5}}}}}}}}}));
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  expect_clean_changes(metrics["ledger"]["changes"]);
  const json& consumer = metrics["phases"][0]["consumer"];
  EXPECT_GT(consumer["errors"], 0);
  EXPECT_EQ(consumer["retries"], consumer["errors"]);  // each was tried again, since all was landed
  EXPECT_GT(consumer["errorRate"], 0.05);
  EXPECT_LT(consumer["errorRate"], 0.7);
  EXPECT_GT(consumer["lagMs"]["max"], 500);
  EXPECT_GT(consumer["wireBytes"], 0);
  EXPECT_LT(consumer["wireBytes"], consumer["encodedBytes"]);  // auto is lz4
  EXPECT_THAT(run.output(), HasSubstr("flushes failed"));
  expect_nothing_left(run);
}

TEST_F(OnAServer, EveryInsertFormatIsEncodedAndOfItsOwnSize) {
  std::set<std::uint64_t> encoded_bytes;
  for (const char* format : {"native", "rowBinary", "jsonCompactEachRow"}) {
    json load = phase("load", 20, 1000);
    load["records"] = 1000;
    WalstormRun run(config({load}, {{"consumer", {{"insertFormat", format}}}}));
    EXPECT_EQ(run.finish().code, 0) << run.output();
    const json metrics = run.metrics();
    expect_clean_changes(metrics["ledger"]["changes"]);
    EXPECT_EQ(metrics["config"]["consumer"]["insertFormat"], format);
    encoded_bytes.insert(metrics["phases"][0]["consumer"]["encodedBytes"].get<std::uint64_t>());
  }
  EXPECT_EQ(encoded_bytes.size(), 3U);
}

TEST_F(OnAServer, ASinkThatNeverLandsAnythingFailsTheRunAfterGiveUpSec) {
  WalstormRun run(config({phase("dead", 60, 500)},
                         {{"consumer", {{"mock", {{"errorRate", 1}}}}}, {"clickhouse", {{"giveUpSec", 1}}}}));
  EXPECT_EQ(run.finish(std::chrono::seconds(50)).code, 1) << run.output();
  const json metrics = run.metrics();
  EXPECT_THAT(metrics["run"]["failure"].get<std::string>(),
              testing::AllOf(HasSubstr("every attempt of the last 1"), HasSubstr("consumer.mock.errorRate"),
                             HasSubstr("clickhouse.giveUpSec")));
  expect_no_slot();
  expect_nothing_left(run);
}

}  // namespace
}  // namespace walstorm::tests
