// Which stretch of time a phase's rates are of, and which records count in it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/measure/fold/phase_fold.h"
#include "tests/orchestrator/measure/phase_frames.h"

namespace walstorm::measure::test {
namespace {

using ::testing::DoubleEq;
using ::testing::Optional;

TEST(LoadWindow, ReadsTheAcknowledgedCountAtTheWindowsEdgesBetweenSamples) {
  PhaseFold fold(facts_of(config::ConstantLoad{1000}, 4));
  fold.ready("consumer-0", ready_at(kStartUnixUs - 500'000));
  fold.ready("producer-0", ready_at(kStartUnixUs));
  fold.sample("consumer-0", consumer_at<proto::Sample>(0.5, 1000, 1000));
  fold.sample("consumer-0", consumer_at<proto::Sample>(3.5, 3000, 3000));
  fold.load_ended(kStartUnixUs + 4 * kSecondUs);
  fold.result("producer-0", producer_at<proto::PhaseResult>(4, 4000));
  fold.result("consumer-0", consumer_at<proto::PhaseResult>(4.5, 4000, 4000));
  // 3,500 at the end, half way from 3,000 to 4,000; none of the phase's at its start, whatever a straight
  // line from the consumer's earlier PhaseReady would say.
  EXPECT_THAT(fold.settle(Outcome::passed).consumer.throughput, Optional(3500.0 / 4));
}

TEST(LoadWindow, CountsTheBacklogOfAnEarlierPhaseAsAcknowledged) {
  PhaseFacts facts = facts_of(config::ConstantLoad{1000}, 4);
  facts.carry_over.acknowledged["consumer-0"] = {kStartUnixUs, 10'000};
  PhaseFold fold(facts);
  fold.ready("consumer-0", ready_at(kStartUnixUs));
  fold.ready("producer-0", ready_at(kStartUnixUs));
  fold.sample("consumer-0", consumer_at<proto::Sample>(2, 0, 16'000));
  fold.sample("consumer-0", consumer_at<proto::Sample>(4, 2000, 22'000));
  fold.result("producer-0", producer_at<proto::PhaseResult>(4, 4000));
  EXPECT_THAT(fold.settle(Outcome::passed).consumer.throughput, Optional(3000.0));
}

TEST(LoadWindow, CountsNoRecordsForTheTimeBetweenTwoPhases) {
  PhaseFacts facts = facts_of(config::ConstantLoad{1000}, 4);
  facts.carry_over.acknowledged["consumer-0"] = {kStartUnixUs - 1'200'000, 10'000};
  PhaseFold fold(facts);
  fold.ready("consumer-0", ready_at(kStartUnixUs));
  fold.ready("producer-0", ready_at(kStartUnixUs));
  fold.sample("consumer-0", consumer_at<proto::Sample>(1, 1000, 11'000));
  fold.sample("producer-0", producer_at<proto::Sample>(1, 1000));
  EXPECT_THAT(fold.close_second(kStartUnixUs + kSecondUs).landed_per_sec, Optional(1000.0));
  fold.sample("consumer-0", consumer_at<proto::Sample>(4, 4000, 14'000));
  fold.result("producer-0", producer_at<proto::PhaseResult>(4, 4000));
  const ConsumerReport consumer = fold.settle(Outcome::passed).consumer;
  EXPECT_THAT(consumer.throughput, Optional(1000.0));
  EXPECT_THAT(consumer.throughput_per_sec.min, Optional(1000.0));
}

TEST(LoadWindow, SpreadsWhatIsLeftOfAnEarlierPhaseOverTheTimeSinceItsEnd) {
  PhaseFacts facts = facts_of(config::ConstantLoad{1000}, 4);
  facts.carry_over.acknowledged["consumer-0"] = {kStartUnixUs - kSecondUs, 10'000};
  PhaseFold fold(facts);
  fold.ready("consumer-0", ready_at(kStartUnixUs));
  fold.ready("producer-0", ready_at(kStartUnixUs));
  // 6,000 of the backlog in the two seconds since, half of them before this phase.
  fold.sample("consumer-0", consumer_at<proto::Sample>(1, 1000, 17'000));
  fold.sample("consumer-0", consumer_at<proto::Sample>(4, 4000, 20'000));
  fold.result("producer-0", producer_at<proto::PhaseResult>(4, 4000));
  EXPECT_THAT(fold.settle(Outcome::passed).consumer.throughput, Optional((3000.0 + 4000.0) / 4));
}

TEST(LoadWindow, MeasuresAnInterruptedPhaseOverTheTimeItHad) {
  PhaseFacts facts = facts_of(config::ConstantLoad{1000}, 60);
  facts.expected_records = 60'000;
  PhaseFold fold(facts);
  fold.ready("producer-0", ready_at(kStartUnixUs));
  fold.load_ended(kStartUnixUs + 6 * kSecondUs);
  fold.result("producer-0", producer_at<proto::PhaseResult>(6, 6000));
  const PhaseReport report = fold.settle(Outcome::interrupted);
  EXPECT_THAT(report.duration_sec, Optional(DoubleEq(6)));
  EXPECT_THAT(report.producer.throughput, Optional(1000.0));
  EXPECT_THAT(report.producer.target_ratio, Optional(1.0));
}

TEST(LoadWindow, CountsNothingAsDueAfterTheEndOfAnInterruptedLoadWhateverItsLastBatchesTake) {
  PhaseFacts facts = facts_of(config::ConstantLoad{1000}, 60);
  facts.expected_records = 60'000;
  PhaseFold fold(facts);
  fold.ready("producer-0", ready_at(kStartUnixUs));
  fold.load_ended(kStartUnixUs + 6 * kSecondUs);
  auto result = producer_at<proto::PhaseResult>(31, 6000);
  result.mutable_producer()->set_last_commit_unix_us(kStartUnixUs + 31 * kSecondUs);
  fold.result("producer-0", result);
  const PhaseReport report = fold.settle(Outcome::interrupted);
  EXPECT_THAT(report.producer.target_ratio, Optional(1.0));
  EXPECT_THAT(report.duration_sec, Optional(DoubleEq(31)))
      << "records of the phase were committed until then";
}

TEST(LoadWindow, EndsTheWindowOfAnUnthrottledLoadWithItsLastRecord) {
  PhaseFacts facts = facts_of(config::MaxLoad{}, 60);
  facts.phase.records = 6000;
  PhaseFold fold(facts);
  fold.ready("producer-0", ready_at(kStartUnixUs));
  auto result = producer_at<proto::PhaseResult>(3.9, 6000);
  result.mutable_producer()->set_last_commit_unix_us(kStartUnixUs + 3 * kSecondUs);
  fold.load_ended(kStartUnixUs + 4 * kSecondUs);
  fold.result("producer-0", result);
  const PhaseReport report = fold.settle(Outcome::passed);
  EXPECT_THAT(report.producer.throughput, Optional(2000.0));
  EXPECT_EQ(report.producer.target_ratio, std::nullopt);
}

}  // namespace
}  // namespace walstorm::measure::test
