#include "orchestrator/measure/judge/verdict.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "orchestrator/measure/judge/backlog_trend.h"
#include "tests/orchestrator/measure/simulated_pipe.h"

namespace walstorm::measure::test {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::Optional;

/// A report of a phase that went well, and a backlog to judge it by.
BacklogTrend backlog_of(double early_sec, double before_end_sec, double end_sec) {
  BacklogTrend backlog;
  backlog.lag_early_sec = backlog.lag_floor_sec = early_sec;
  backlog.lag_return_sec = std::min(before_end_sec, end_sec);
  backlog.lag_before_end_sec = before_end_sec;
  backlog.lag_end_sec = end_sec;
  return backlog;
}

Verdict judged(PhaseReport report, const BacklogTrend& backlog) {
  report.backlog = backlog;
  return judge(report, {});
}

TEST(Verdict, CallsAPipeThatKeepsUpSustainedWithEvidence) {
  const Verdict verdict = SimulatedPipe{}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::sustained);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::none);
  EXPECT_EQ(verdict.capacity_estimate, std::nullopt);
  EXPECT_THAT(verdict.evidence, Not(IsEmpty()));
}

TEST(Verdict, CallsASinkOf3000PerSecondUnder5000FallingBehindAndEstimatesItsCapacity) {
  for (const double duration_sec : {10.0, 60.0}) {
    const Verdict verdict =
        SimulatedPipe{.duration_sec = duration_sec, .sink_capacity = 3000, .drain_timeout_sec = 100}
            .report()
            .verdict;
    EXPECT_EQ(verdict.state, VerdictState::falling_behind) << duration_sec;
    EXPECT_EQ(verdict.bottleneck, Bottleneck::sink) << duration_sec;
    EXPECT_THAT(verdict.capacity_estimate, Optional(AllOf(Ge(2950), Le(3050)))) << duration_sec;
  }
}

TEST(Verdict, BlamesTheSinkThatStoppedAfterItHadKeptUpForLong) {
  const Verdict verdict =
      SimulatedPipe{.sink_capacity = 10'000, .stall_from_sec = 45, .stall_to_sec = 65}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::stalled);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::sink);
  EXPECT_THAT(verdict.try_next.front(), HasSubstr("look at what the sink did from second 4"));
}

TEST(Verdict, AsksForNoLongerLoadThanAnHour) {
  const SimulatedPipe creeping{.duration_sec = 3600, .sink_capacity = 4988, .drain_timeout_sec = 300};
  const Verdict verdict = creeping.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  EXPECT_EQ(verdict.window_needed_sec, std::nullopt);
}

TEST(Standstill, ThatEndsTheLoadIsHeldAgainstItsOwnLimit) {
  BacklogCurves curves;
  for (std::int64_t sec = 0; sec <= 60; ++sec) {
    const auto landed = sec <= 10 ? sec : sec <= 30 ? 10 : std::min<std::int64_t>(sec, 48);
    curves.produced.add({kStartUnixUs + sec * 1'000'000, static_cast<std::uint64_t>(sec * 1000)});
    curves.acknowledged.add({kStartUnixUs + sec * 1'000'000, static_cast<std::uint64_t>(landed * 1000)});
  }
  curves.run_acknowledged = curves.acknowledged;
  // From 10 to 30 s it was longer, but most of a minute it was not; from 48 s on it was a fifth of it.
  const BacklogTrend backlog = backlog_trend_within(curves, kStartUnixUs, kStartUnixUs + 60e6, {}, 0);
  ASSERT_TRUE(backlog.standstill);
  EXPECT_NEAR(backlog.standstill->from_sec, 48, 0.1);
  EXPECT_TRUE(backlog.standstill->to_the_end);
  EXPECT_GE(backlog.standstill->seconds(), stall_sec(60, true) - 0.1);
}

TEST(Verdict, SeesAnOverloadOfEightPercentInAMinute) {
  const SimulatedPipe pipe{.sink_capacity = 4600, .drain_timeout_sec = 100};
  EXPECT_EQ(pipe.report().verdict.state, VerdictState::falling_behind);
}

TEST(Verdict, CallsAStarvedGeneratorTheLimitAndNotThePipe) {
  const Verdict verdict = SimulatedPipe{.producer_capacity = 4000}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::generator_limited);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::producer);
  ASSERT_FALSE(verdict.evidence.empty());
  EXPECT_EQ(verdict.evidence.front().figure, "producer.targetRatio");
  EXPECT_NEAR(verdict.evidence.front().value.value_or(0), 0.8, 0.001);
}

TEST(Verdict, SaysThatThePipeFellBehindEvenWhereTheGeneratorFellShortToo) {
  const Verdict verdict =
      SimulatedPipe{.producer_capacity = 4000, .sink_capacity = 3000, .drain_timeout_sec = 100}
          .report()
          .verdict;
  EXPECT_EQ(verdict.state, VerdictState::falling_behind);
  bool mentions_the_target = false;
  for (const Evidence& evidence : verdict.evidence)
    mentions_the_target |= evidence.figure == "producer.targetRatio";
  EXPECT_TRUE(mentions_the_target);
}

TEST(Verdict, CallsADrainThatTimesOutFallingBehind) {
  const PhaseReport report = SimulatedPipe{.sink_capacity = 1000, .drain_timeout_sec = 5}.report();
  EXPECT_EQ(report.verdict.state, VerdictState::falling_behind);
  EXPECT_EQ(report.verdict.evidence.front().figure, "drain.completed");
}

TEST(Verdict, BlamesTheGeneratorWhenNothingAtAllWasProduced) {
  const Verdict verdict = SimulatedPipe{.producer_capacity = 0}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::generator_limited);
}

TEST(Verdict, JudgesNothingWhenAnUnthrottledLoadProducedNothing) {
  const Verdict verdict = SimulatedPipe{.load = config::MaxLoad{}, .producer_capacity = 0}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::marginal);
}

TEST(Verdict, JudgesAnUnthrottledLoadByThePipeAlone) {
  EXPECT_EQ((SimulatedPipe{.load = config::MaxLoad{}, .duration_sec = 20}.report().verdict.state),
            VerdictState::sustained);
  const Verdict overloaded =
      SimulatedPipe{
          .load = config::MaxLoad{}, .duration_sec = 20, .sink_capacity = 8000, .drain_timeout_sec = 60}
          .report()
          .verdict;
  EXPECT_EQ(overloaded.state, VerdictState::falling_behind);
  EXPECT_EQ(overloaded.bottleneck, Bottleneck::sink);
}

TEST(Verdict, RaisesNoAlarmForASinkThatIsSlowToAnswerButKeepsUp) {
  for (const double duration_sec : {10.0, 20.0, 60.0}) {
    EXPECT_EQ((SimulatedPipe{.duration_sec = duration_sec, .latency_sec = 2}.report().verdict.state),
              VerdictState::sustained)
        << duration_sec;
  }
}

TEST(Verdict, RaisesNoAlarmForARampThatThePipeFollows) {
  const SimulatedPipe pipe{.load = config::RampLoad{1000, 20'000}, .duration_sec = 10};
  EXPECT_EQ(pipe.report().verdict.state, VerdictState::sustained);
}

TEST(Verdict, ForgivesAStallThatTheSinkMadeUpFor) {
  const SimulatedPipe pipe{.sink_capacity = 10'000, .stall_from_sec = 40, .stall_to_sec = 43};
  EXPECT_EQ(pipe.report().verdict.state, VerdictState::sustained);
}

TEST(Verdict, CallsNoPipeSustainedWhoseSinkTookNothingForTheLast11Seconds) {
  const SimulatedPipe pipe{.load = config::ConstantLoad{500},
                           .sink_capacity = 100'000,
                           .stall_from_sec = 49,
                           .stall_to_sec = 60.2};
  const Verdict verdict = pipe.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  ASSERT_FALSE(verdict.evidence.empty());
  EXPECT_THAT(verdict.evidence.front().says, HasSubstr("to the end of the load, while"));
  EXPECT_THAT(verdict.window_needed_sec, Optional(Ge(120)));
}

TEST(Verdict, CallsAnHourThatEndsWithTwoDeadMinutesStalled) {
  const SimulatedPipe pipe{.load = config::ConstantLoad{100},
                           .duration_sec = 3600,
                           .sink_capacity = 100'000,
                           .stall_from_sec = 3480,
                           .stall_to_sec = 3600.2};
  EXPECT_EQ(pipe.report().verdict.state, VerdictState::stalled);
}

TEST(Verdict, SaysOfASustainedPipeThatItStoodStillForLong) {
  const Verdict verdict =
      SimulatedPipe{.sink_capacity = 100'000, .stall_from_sec = 20, .stall_to_sec = 30}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::sustained);
  const auto told =
      std::any_of(verdict.evidence.begin(), verdict.evidence.end(), [](const Evidence& evidence) {
        return evidence.says.find("which was made up for") != std::string::npos;
      });
  EXPECT_TRUE(told);
}

TEST(Verdict, CallsOneTransactionTooLittleToTell) {
  PhaseReport report = SimulatedPipe{}.report();
  const BacklogTrend backlog = report.backlog;
  report.producer.transactions = 1;
  report.duration_sec = 5;
  const Verdict verdict = judged(report, backlog);
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  EXPECT_EQ(verdict.evidence.front().figure, "producer.transactions");
  EXPECT_THAT(verdict.window_needed_sec, Optional(Ge(50)));
}

TEST(Verdict, CallsFewHealthyPipesSickThatStallAtRandom) {
  constexpr unsigned kSeed = 20260131;
  std::mt19937 random(kSeed);
  std::uniform_real_distribution<double> capacity(5500, 10'000), at_sec(2, 58), length_sec(0, 2.5);
  int alarms = 0;
  for (int run = 0; run < 200; ++run) {
    SimulatedPipe pipe{.sink_capacity = capacity(random), .drain_timeout_sec = 60};
    pipe.stall_from_sec = at_sec(random);
    pipe.stall_to_sec = pipe.stall_from_sec + length_sec(random);
    if (pipe.report().verdict.state != VerdictState::sustained) ++alarms;
  }
  EXPECT_LE(alarms, 4) << "seed " << kSeed;
}

TEST(Verdict, CallsALoadOfTwoSecondsTooShortToTell) {
  const Verdict verdict = SimulatedPipe{.duration_sec = 2}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  EXPECT_EQ(verdict.evidence.front().figure, "durationSec");
}

TEST(Verdict, ShowsTheSameWithEverySecondSampleLost) {
  const auto every_other = [](std::uint64_t sequence) { return sequence % 2 == 0; };
  EXPECT_EQ((SimulatedPipe{.sample_arrives = every_other}.report().verdict.state), VerdictState::sustained);
  const SimulatedPipe overloaded{
      .sink_capacity = 3000, .drain_timeout_sec = 100, .sample_arrives = every_other};
  EXPECT_EQ(overloaded.report().verdict.state, VerdictState::falling_behind);
}

TEST(Verdict, CallsABrokenLedgerFailedHoweverWellTheRestLooks) {
  PhaseReport report = SimulatedPipe{}.report();
  report.ledger.broken_at = "sink";
  report.ledger.missing = 3;
  const Verdict verdict = judged(report, {});
  EXPECT_EQ(verdict.state, VerdictState::failed);
  EXPECT_THAT(verdict.evidence.front().says, ::testing::HasSubstr("3 missing"));
}

TEST(Verdict, DoesNotClaimThatAPipeKeptUpWhenNoSampleSaysSo) {
  const Verdict verdict = judged(SimulatedPipe{}.report(), {});
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  EXPECT_THAT(verdict.window_needed_sec, Optional(Ge(60)));
}

TEST(Verdict, IsMarginalWhileThePipeStillCatchesUpAndSaysHowLongThatTakes) {
  const Verdict verdict = judged(SimulatedPipe{}.report(), backlog_of(0.1, 6, 4));
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  EXPECT_EQ(verdict.evidence.front().figure, "course.lagReturnSec");
  // 2 s less in 15 s: the other 4 s take 30 s more, and then a third of the load must be left.
  EXPECT_THAT(verdict.window_needed_sec, Optional(AllOf(Ge(130), Le(140))));
}

TEST(Verdict, CallsALagThatRisesToItsEndFallingBehindAndOneThatComesDownNot) {
  EXPECT_EQ(judged(SimulatedPipe{}.report(), backlog_of(0.1, 2, 3)).state, VerdictState::falling_behind);
  EXPECT_EQ(judged(SimulatedPipe{}.report(), backlog_of(0.1, 4, 3)).state, VerdictState::marginal);
  EXPECT_EQ(judged(SimulatedPipe{}.report(), backlog_of(0.1, 1, 1.2)).state, VerdictState::marginal);
}

TEST(Verdict, IsMarginalWhenFlushesFailedThoughAllWasLandedInTheEnd) {
  PhaseReport report = SimulatedPipe{}.report();
  report.consumer.errors = 3;
  report.consumer.retries = 2;
  const Verdict verdict = judged(report, backlog_of(0.1, 0.1, 0.1));
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  ASSERT_FALSE(verdict.evidence.empty());
  EXPECT_EQ(verdict.evidence.front().says, "3 flushes failed, 2 were tried again");
  EXPECT_EQ(verdict.window_needed_sec, std::nullopt) << "a longer load would not tell more";
}

TEST(Verdict, IsMarginalWhenTransactionsFailed) {
  PhaseReport report = SimulatedPipe{}.report();
  report.producer.errors = 2;
  EXPECT_EQ(judged(report, backlog_of(0.1, 0.1, 0.1)).state, VerdictState::marginal);
}

TEST(Verdict, CallsASinkThatTakesNothingMoreStalledAndSaysSinceWhen) {
  const Verdict verdict =
      SimulatedPipe{.sink_capacity = 10'000, .stall_from_sec = 40, .stall_to_sec = 1000}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::stalled);
  EXPECT_THAT(verdict.evidence.front().says, HasSubstr("from second 4"));
  EXPECT_THAT(verdict.evidence.front().says, HasSubstr("to the end of the load"));
}

TEST(Verdict, CallsASinkThatNeverTookAnythingStalled) {
  EXPECT_EQ((SimulatedPipe{.stall_from_sec = -1, .stall_to_sec = 1000}.report().verdict.state),
            VerdictState::stalled);
}

TEST(Verdict, CallsAPipeThatStoodStillForMostOfTheLoadStalledThoughItMovedInTheEnd) {
  const Verdict verdict =
      SimulatedPipe{.sink_capacity = 100'000, .stall_from_sec = 10, .stall_to_sec = 45}.report().verdict;
  EXPECT_EQ(verdict.state, VerdictState::stalled);
  EXPECT_THAT(verdict.evidence.front().says, HasSubstr("from second 10 to 4"));
}

TEST(Verdict, DoesNotCallASinkStalledThatOnlyTakesLongToAnswer) {
  const Verdict verdict = SimulatedPipe{.duration_sec = 20, .latency_sec = 8}.report().verdict;
  EXPECT_NE(verdict.state, VerdictState::stalled);
}

TEST(Verdict, EstimatesTheCapacityFromWhereThePipeWasSaturated) {
  // The stall lies before: it was made up for by second 20, and the ramp exceeds the sink at second 33.
  const Verdict ramp = SimulatedPipe{.load = config::RampLoad{1000, 10'000},
                                     .sink_capacity = 6000,
                                     .stall_from_sec = 5,
                                     .stall_to_sec = 8,
                                     .drain_timeout_sec = 100}
                           .report()
                           .verdict;
  EXPECT_EQ(ramp.state, VerdictState::falling_behind);
  EXPECT_THAT(ramp.capacity_estimate, Optional(AllOf(Ge(5900), Le(6100))));
  // A stall that began it all is no part of the rate either.
  const Verdict stalled_first =
      SimulatedPipe{.sink_capacity = 4500, .stall_from_sec = -1, .stall_to_sec = 4, .drain_timeout_sec = 100}
          .report()
          .verdict;
  EXPECT_EQ(stalled_first.state, VerdictState::falling_behind);
  EXPECT_THAT(stalled_first.capacity_estimate, Optional(AllOf(Ge(4400), Le(4600))));
}

TEST(Verdict, EstimatesNoCapacityOfAPipeThatKeptUp) {
  EXPECT_EQ(SimulatedPipe{}.report().verdict.capacity_estimate, std::nullopt);
}

TEST(Verdict, JudgesAPhaseThatBeginsWithABacklogByTheFloorOfThePhasesBefore) {
  // 60,000 records of the phase before are left, which the sink takes 10 s for: as fast as more come in.
  const PhaseFold before = SimulatedPipe{.duration_sec = 20}.run();
  const CarryOver carry_over = before.carry_over();
  EXPECT_THAT(carry_over.lag_floor_sec, Optional(Le(0.2)));
  BacklogTrend backlog = backlog_of(9, 9, 9);
  EXPECT_EQ(judged(SimulatedPipe{}.report(), backlog).state, VerdictState::sustained)
      << "without the floor nothing speaks against it";
  backlog.lag_floor_sec = carry_over.lag_floor_sec;
  EXPECT_EQ(judged(SimulatedPipe{}.report(), backlog).state, VerdictState::marginal);
}

TEST(Verdict, NamesTheBusiestPartOfAPipeThatKeepsUpAndGivesNoAdvice) {
  const Verdict verdict = SimulatedPipe{}.report().verdict;
  EXPECT_THAT(verdict.evidence.back().says, HasSubstr("the busiest part was"));
  EXPECT_THAT(verdict.try_next, IsEmpty());
  EXPECT_EQ(verdict.window_needed_sec, std::nullopt);
}

TEST(BacklogTrend, SeesNoStandstillWhereNothingWaits) {
  // The producer was held up, not the pipe: all that was written is acknowledged.
  CountCurve curve;
  for (std::int64_t second = 0; second <= 30; ++second)
    curve.add({kStartUnixUs + second * 1'000'000, second < 10 ? static_cast<std::uint64_t>(second) : 10});
  const double from = static_cast<double>(kStartUnixUs);
  EXPECT_EQ(backlog_trend_within({curve, curve, curve}, from, from + 30e6, {}, 0).standstill, std::nullopt);
}

TEST(BacklogTrend, RaisesAnEarlierFloorToWhatTheSinkTakesToAnswerNow) {
  CountCurve produced, acknowledged;
  for (std::int64_t second = 0; second <= 30; ++second) {
    const auto at = kStartUnixUs + second * 1'000'000;
    produced.add({at, static_cast<std::uint64_t>(second) * 1000});
    acknowledged.add({at, second < 3 ? 0 : static_cast<std::uint64_t>(second - 3) * 1000});
  }
  const BacklogCurves curves{produced, acknowledged, acknowledged};
  const double from = static_cast<double>(kStartUnixUs);
  EXPECT_THAT(backlog_trend_within(curves, from, from + 30e6, 0.1, 0.2).lag_floor_sec, Optional(0.2));
  EXPECT_THAT(backlog_trend_within(curves, from, from + 30e6, 0.1, 5).lag_floor_sec, Optional(3.0))
      << "and no higher than where it was seen";
  EXPECT_THAT(backlog_trend_within(curves, from, from + 30e6, std::nullopt, 0.2).lag_floor_sec,
              Optional(3.0));
}

}  // namespace
}  // namespace walstorm::measure::test
