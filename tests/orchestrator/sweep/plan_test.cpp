#include "orchestrator/sweep/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/sweep/sweep.h"
#include "tests/orchestrator/config/config_verbs.h"

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

}  // namespace
}  // namespace walstorm::sweep
