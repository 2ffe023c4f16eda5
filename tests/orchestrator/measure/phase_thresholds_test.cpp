#include "orchestrator/measure/fold/phase_thresholds.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/orchestrator/measure/simulated_pipe.h"

namespace walstorm::measure::test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

config::Threshold threshold(const char* expr, std::optional<std::uint32_t> window_sec = {},
                            bool abort = false, double delay_sec = 0) {
  config::Threshold result;
  result.expr = expr;
  result.window_sec = window_sec;
  result.abort_on_fail = abort;
  result.delay_abort_sec = delay_sec;
  return result;
}

struct Watched {
  PhaseReport report;
  bool ended = false;
  double ended_at_sec = 0;  ///< of the look that first said so
  bool no_phase_after = false;
};

/// Runs the pipe to its end with the threshold looked at each second, as the orchestrator does but for the
/// ending.
Watched watch(const SimulatedPipe& pipe, const config::Threshold& only,
              const std::vector<PhaseReport>& earlier = {}) {
  config::Config config;
  for (const PhaseReport& before : earlier) {
    config.phases.push_back(
        {.name = before.name, .duration_sec = 1, .load = {}, .records = {}, .warmup = false});
  }
  config.phases.push_back(
      {.name = "peak", .duration_sec = pipe.duration_sec, .load = pipe.load, .records = {}, .warmup = false});
  config.thresholds = {only};
  PhaseThresholds thresholds(config, earlier.size(), earlier);
  Watched watched;
  const PhaseFold fold = pipe.run_watched([&](const PhaseFold& running, const Second& second) {
    thresholds.look(running);
    if (!thresholds.ends_the_run() || watched.ended) return;
    watched.ended = true;
    watched.ended_at_sec = second.phase_elapsed_sec;
  });
  watched.report = fold.settle(Outcome::passed);
  thresholds.settle(fold, watched.report);
  watched.no_phase_after = thresholds.ends_the_run();
  return watched;
}

const ThresholdResult& only_result(const Watched& watched) {
  EXPECT_THAT(watched.report.thresholds, SizeIs(1));
  return watched.report.thresholds.at(0);
}

/// A sink that takes nothing for 0.4 s of a minute: less than 1 % of the records wait for it.
const SimulatedPipe kShortStall{.stall_from_sec = 30, .stall_to_sec = 30.4};

TEST(PhaseThresholds, JudgeAWholePhaseByItsReport) {
  const Watched ok = watch({.duration_sec = 10}, threshold("consumer.lagMs.p99 < 200"));
  EXPECT_TRUE(only_result(ok).passed);
  EXPECT_EQ(only_result(ok).observed, ok.report.consumer.lag_ms.p99);
  EXPECT_EQ(only_result(ok).limit, 200);
  EXPECT_EQ(only_result(ok).window_sec, std::nullopt);
  EXPECT_EQ(ok.report.outcome, Outcome::passed);
  const Watched crossed = watch({.duration_sec = 10}, threshold("consumer.lagMs.p99 < 100"));
  EXPECT_FALSE(only_result(crossed).passed);
  EXPECT_EQ(crossed.report.outcome, Outcome::thresholds_crossed);
  EXPECT_FALSE(crossed.ended);
}

TEST(PhaseThresholds, AWindowShowsAStallThatTheWholePhaseHides) {
  const Watched whole = watch(kShortStall, threshold("consumer.lagMs.p99 < 250"));
  EXPECT_TRUE(only_result(whole).passed) << *only_result(whole).observed;
  const Watched window = watch(kShortStall, threshold("consumer.lagMs.p99 < 250", 5));
  const ThresholdResult& result = only_result(window);
  EXPECT_FALSE(result.passed);
  EXPECT_NEAR(*result.observed, 520, 60);  // 0.15 s of latency behind nearly all of the stall
  EXPECT_EQ(result.window_sec, 5);
  EXPECT_THAT(result.says, StartsWith("worst in the 5 s that ended 3"));  // 31 to 35 s into the load
}

TEST(PhaseThresholds, TakeTheWorstOfAllWindows) {
  // A ramp: the last window is the fastest, the first the slowest.
  const SimulatedPipe ramp{.load = config::RampLoad{1000, 5000}, .duration_sec = 20};
  const Watched least = watch(ramp, threshold("producer.throughput > 100", 2));
  EXPECT_NEAR(*only_result(least).observed, 1200, 20);
  EXPECT_THAT(only_result(least).says, HasSubstr("2.0 s into the load"));
  const Watched most = watch(ramp, threshold("producer.throughput < 100000", 2));
  EXPECT_NEAR(*only_result(most).observed, 4600, 20);
  EXPECT_THAT(only_result(most).says, HasSubstr("19.0 s into the load"));
  EXPECT_TRUE(only_result(most).passed);
}

TEST(PhaseThresholds, TellTheTargetAndItsRatioOfAWindow) {
  const SimulatedPipe slow{
      .load = config::RampLoad{1000, 5000}, .duration_sec = 20, .producer_capacity = 2000};
  EXPECT_NEAR(*only_result(watch(slow, threshold("producer.targetRatio < 9", 2))).observed, 1.0, 0.02);
  EXPECT_NEAR(*only_result(watch(slow, threshold("producer.targetRatio > 0.1", 2))).observed, 2000.0 / 4600,
              0.02);
}

TEST(PhaseThresholds, AWindowInWhichNothingLandedHasTheAgeOfWhatWaits) {
  // The sink stops at 10 s, for good as far as the load can see.
  const SimulatedPipe stuck{.duration_sec = 20, .stall_from_sec = 10, .stall_to_sec = 25};
  const Watched watched = watch(stuck, threshold("consumer.lagMs.p99 < 1000", 2));
  const ThresholdResult& result = only_result(watched);
  EXPECT_FALSE(result.passed);
  // 10 s at the end, told by Samples a second apart: never more than it is.
  EXPECT_LE(*result.observed, 10'200);
  EXPECT_GE(*result.observed, 8'000);
  EXPECT_THAT(result.says, HasSubstr("ended 1"));  // within the load; the drain's lags are not among them
}

TEST(PhaseThresholds, AHealthyPipesWaitingRecordsDoNotCount) {
  const Watched watched =
      watch({.duration_sec = 20, .latency_sec = 0.9}, threshold("consumer.lagMs.max < 5000", 2));
  EXPECT_NEAR(*only_result(watched).observed, 900, 30);
}

TEST(PhaseThresholds, EndTheRunAtTheFirstWindowThatCrosses) {
  const SimulatedPipe stuck{.duration_sec = 60, .stall_from_sec = 10, .stall_to_sec = 70};
  const Watched watched = watch(stuck, threshold("consumer.lagMs.p99 < 1500", 3, true));
  EXPECT_TRUE(watched.ended);
  EXPECT_GE(watched.ended_at_sec, 11);
  EXPECT_LE(watched.ended_at_sec, 14);
  const ThresholdResult& result = only_result(watched);
  EXPECT_FALSE(result.passed);
  EXPECT_GT(*result.observed, 1500);
  EXPECT_LT(*result.observed, 4000);  // as it was then, not what became of it
  EXPECT_THAT(result.says, HasSubstr("ended the run"));
}

TEST(PhaseThresholds, EndTheRunByThePhaseSoFarWithoutAWindow) {
  const SimulatedPipe slow{.duration_sec = 30, .sink_capacity = 2500};
  const Watched watched = watch(slow, threshold("consumer.lagMs.p99 < 2000", {}, true));
  EXPECT_TRUE(watched.ended);
  // At twice the sink's capacity a record waits half of its time of birth, so 2 s of lag are due at 4 s.
  EXPECT_GE(watched.ended_at_sec, 3.5);
  EXPECT_LE(watched.ended_at_sec, 7);
  EXPECT_FALSE(only_result(watched).passed);
}

TEST(PhaseThresholds, DoNotEndTheRunBeforeTheirDelay) {
  const SimulatedPipe stuck{.duration_sec = 30, .stall_from_sec = 2, .stall_to_sec = 70};
  EXPECT_LT(watch(stuck, threshold("consumer.lagMs.p99 < 1500", 2, true)).ended_at_sec, 7);
  const Watched late = watch(stuck, threshold("consumer.lagMs.p99 < 1500", 2, true, 15));
  EXPECT_TRUE(late.ended);
  EXPECT_GE(late.ended_at_sec, 15);
  EXPECT_LE(late.ended_at_sec, 17);
  // What the delay spared did happen.
  const SimulatedPipe early{.duration_sec = 30, .stall_from_sec = 2, .stall_to_sec = 6};
  const Watched spared = watch(early, threshold("consumer.lagMs.p99 < 1500", 2, true, 15));
  EXPECT_LE(spared.ended_at_sec, 0);
  EXPECT_FALSE(spared.no_phase_after);
  EXPECT_FALSE(only_result(spared).passed);
}

TEST(PhaseThresholds, DoNotEndARunThatIsWithinThem) {
  const Watched watched = watch({.duration_sec = 20}, threshold("consumer.lagMs.p99 < 1000", 2, true));
  EXPECT_FALSE(watched.ended);
  EXPECT_TRUE(only_result(watched).passed);
}

TEST(PhaseThresholds, AWindowAsLongAsTheLoadIsJudgedEvenWhenItsLastSamplesComeLate) {
  const SimulatedPipe lossy{.duration_sec = 5, .sample_arrives = [](std::uint64_t n) { return n < 3; }};
  const Watched watched = watch(lossy, threshold("producer.throughput > 1", 5));
  EXPECT_NEAR(only_result(watched).observed.value_or(0), 5000, 100);
  EXPECT_TRUE(only_result(watched).passed);
}

TEST(PhaseThresholds, OnWhatWasNeverMeasuredFailAndSaySo) {
  const Watched whole = watch({.duration_sec = 5}, threshold("consumer.parts.created < 5"));
  EXPECT_FALSE(only_result(whole).passed);
  EXPECT_EQ(only_result(whole).says, "never measured: consumer.parts.created");
  EXPECT_EQ(whole.report.outcome, Outcome::thresholds_crossed);
  const Watched window = watch({.duration_sec = 5}, threshold("1 / consumer.errors > 0", 2));
  EXPECT_EQ(only_result(window).says, "never measured: a division by 0");
  const Watched no_window =
      watch({.duration_sec = 20, .producer_dies_at_sec = 4}, threshold("producer.throughput > 1", 10));
  EXPECT_EQ(only_result(no_window).says, "never measured: no 10 s of load passed");
}

TEST(PhaseThresholds, CompareAWindowWithAnEarlierPhase) {
  PhaseReport baseline;
  baseline.name = "baseline";
  baseline.consumer.lag_ms.p99 = 150;
  const char* expr = "consumer.lagMs.p99 < 2 * phase('baseline').consumer.lagMs.p99";
  const Watched calm = watch({.duration_sec = 20}, threshold(expr, 5), {baseline});
  EXPECT_TRUE(only_result(calm).passed);
  EXPECT_EQ(only_result(calm).limit, 300);
  EXPECT_FALSE(only_result(watch(kShortStall, threshold(expr, 5), {baseline})).passed);
}

TEST(PhaseThresholds, LeaveAFailedPhaseFailed) {
  const std::vector<PhaseReport> none;
  config::Config config;
  config.phases = {{.name = "peak", .duration_sec = 5, .load = {}, .records = {}, .warmup = false}};
  config.thresholds = {threshold("consumer.lagMs.p99 < 0")};
  PhaseThresholds thresholds(config, 0, none);
  const PhaseFold fold = SimulatedPipe{.duration_sec = 5}.run();
  for (const Outcome outcome : {Outcome::failed, Outcome::interrupted}) {
    PhaseReport report = fold.settle(outcome);
    thresholds.settle(fold, report);
    EXPECT_EQ(report.outcome, outcome);
    EXPECT_FALSE(report.thresholds.at(0).passed);
  }
}

}  // namespace
}  // namespace walstorm::measure::test
