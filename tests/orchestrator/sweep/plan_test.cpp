#include "orchestrator/sweep/plan.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/sweep/sweep.h"
#include "orchestrator/sweep/sweep_json.h"
#include "tests/orchestrator/config/config_verbs.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::sweep {
namespace {

using ::testing::HasSubstr;

constexpr const char* kOnePhase = R"({
  "name": "batches", "phases": [{"name": "load", "durationSec": 10, "targetThroughput": 500}]})";

config::Config resolve(const std::vector<config::Override>& overrides) {
  return config::load_given({.file = config::with_mock(kOnePhase), .overrides = overrides});
}

Options varying(const std::vector<Axis>& axes) {
  return {.axes = axes, .mode = {}, .repeats = 2, .resume = {}};
}

TEST(SweepPlan, IsToldInWordsForADryRun) {
  EXPECT_EQ(dry_run_text(resolve, varying({{"consumer.flushBatchSize", {"50", "200"}},
                                           {"consumer.flushIntervalMs", {"100"}}})),
            R"(batches: dry run, nothing is started

  cell    1  consumer.flushBatchSize=50 consumer.flushIntervalMs=100
  cell    2  consumer.flushBatchSize=200 consumer.flushIntervalMs=100

  runs       4: 2 cells, 2 of each
  takes      about 56 s
  results    ./profiling-results
)");
}

TEST(SweepPlan, ResumesNothingButTheSameSweepOfTheSameConfig) {
  const tests::TemporaryFolder folder;
  Options options = varying({{"consumer.flushBatchSize", {"50", "200"}}});
  std::ofstream(folder.path() / sweep::kSweepFile) << sweep::sweep_json(plan_of(resolve, options).report);
  options.resume = folder.path();
  EXPECT_EQ(plan_of(resolve, options).order.size(), 4U);
  const auto other = [](std::vector<config::Override> overrides) {
    overrides.push_back(config::set("producer.batchSize", "7"));
    return resolve(overrides);
  };
  try {
    (void)plan_of(other, options);
    ADD_FAILURE() << "was taken";
  } catch (const wire::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("producer.batchSize (was 100, is 7)"));
  }
}

TEST(SweepPlan, ShowsNoPasswordOfTheUrlsThatItVaries) {
  const tests::TemporaryFolder folder;
  Options options = varying({{"database.url",
                              {R"("postgresql://u:planted1@h/d")", R"("postgresql://u:planted2@h/d")",
                               R"("postgresql://u@other/d")"}}});
  const Plan plan = plan_of(resolve, options);
  EXPECT_THAT(plan.report.axes.at(0).values,
              testing::ElementsAre(R"("postgresql://u:***@h/d")", R"x("postgresql://u:***@h/d (2)")x",
                                   R"("postgresql://u@other/d")"));
  EXPECT_EQ(plan.configs.at(1).database.url, "postgresql://u:planted2@h/d");
  EXPECT_EQ(dry_run_text(resolve, options).find("planted"), std::string::npos);
  std::ofstream(folder.path() / sweep::kSweepFile) << sweep::sweep_json(plan.report);
  options.resume = folder.path();
  EXPECT_EQ(plan_of(resolve, options).order.size(), 6U) << "the same sweep";
}

TEST(SweepPlan, TakesManyKeysOneAtATime) {
  std::vector<Axis> axes;
  for (const char* key : {"consumer.flushBatchSize", "consumer.flushIntervalMs",
                          "consumer.maxFlushConcurrency", "producer.batchSize"})
    axes.push_back({key, {"1", "2", "3", "4", "5", "6"}});
  Options options = varying(axes);
  options.mode = Mode::one_at_a_time;
  EXPECT_EQ(plan_of(resolve, options).configs.size(), 25U);
  options.mode = Mode::full;
  EXPECT_THROW((void)plan_of(resolve, options), wire::Error);
}

}  // namespace
}  // namespace walstorm::sweep
