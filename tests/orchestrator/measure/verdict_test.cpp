#include "orchestrator/measure/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "tests/orchestrator/measure/simulated_pipe.h"

namespace walstorm::measure::test {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::Optional;

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
  const Verdict verdict = judge(report, {});
  EXPECT_EQ(verdict.state, VerdictState::failed);
  EXPECT_THAT(verdict.evidence.front().says, ::testing::HasSubstr("3 missing"));
}

TEST(Verdict, DoesNotClaimThatAPipeKeptUpWhenNoSampleSaysSo) {
  const PhaseReport report = SimulatedPipe{}.report();
  EXPECT_EQ(judge(report, PipeCourse{}).state, VerdictState::marginal);
}

TEST(Verdict, IsMarginalWhileThePipeStillCatchesUp) {
  const Verdict verdict = judge(SimulatedPipe{}.report(), PipeCourse{0.1, 4, 5000, 5100, 0});
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  EXPECT_EQ(verdict.evidence.front().figure, "consumer.lagMs");
}

TEST(Verdict, DoesNotBlameTheSinkForAConsumerWithoutTimeToFlush) {
  PhaseReport report = SimulatedPipe{}.report();
  report.consumer.queue_ms.mean = 3000;
  report.consumer.loop_utilization_max = 0.99;
  const PipeCourse behind{0.1, 4, 5000, 3000, 0.0};
  EXPECT_EQ(judge(report, behind).bottleneck, Bottleneck::unknown);
  report.consumer.loop_utilization_max = 0.3;
  EXPECT_EQ(judge(report, behind).bottleneck, Bottleneck::sink);
}

TEST(Verdict, IsMarginalWhenFlushesFailedThoughAllWasLandedInTheEnd) {
  PhaseReport report = SimulatedPipe{}.report();
  report.consumer.errors = 3;
  report.consumer.retries = 2;
  const Verdict verdict = judge(report, PipeCourse{0.1, 0.1, 5000, 5000, 0});
  EXPECT_EQ(verdict.state, VerdictState::marginal);
  ASSERT_FALSE(verdict.evidence.empty());
  EXPECT_EQ(verdict.evidence.front().says, "3 flushes failed, 2 were tried again");
}

TEST(Verdict, IsMarginalWhenTransactionsFailed) {
  PhaseReport report = SimulatedPipe{}.report();
  report.producer.errors = 2;
  EXPECT_EQ(judge(report, PipeCourse{0.1, 0.1, 5000, 5000, 0}).state, VerdictState::marginal);
}

}  // namespace
}  // namespace walstorm::measure::test
