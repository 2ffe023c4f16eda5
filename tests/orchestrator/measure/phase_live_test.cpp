// What a PhaseFold tells of a phase that still runs.

#include <cmath>
#include <gtest/gtest.h>

#include "tests/orchestrator/measure/phase_frames.h"
#include "tests/orchestrator/measure/simulated_pipe.h"

namespace walstorm::measure::test {
namespace {

TEST(PhaseLive, TellsNothingBeforeEveryWorkerHas) {
  PhaseFacts facts;
  facts.phase = {
      .name = "p", .duration_sec = 10, .load = config::ConstantLoad{100}, .records = {}, .warmup = false};
  facts.producers = {{"producer-0", {}}};
  facts.consumers = {{"consumer-0", {}}};
  PhaseFold fold(facts);
  EXPECT_FALSE(fold.counted());
  proto::PhaseReady ready;
  ready.set_at_unix_us(kStartUnixUs);
  fold.ready("consumer-0", ready);
  fold.ready("producer-0", ready);
  EXPECT_FALSE(fold.counted());
  proto::Sample sample;
  sample.set_taken_unix_us(kStartUnixUs + 1'000'000);
  sample.mutable_producer()->mutable_produced()->set_inserts(100);
  fold.sample("producer-0", sample);
  EXPECT_FALSE(fold.counted());
  EXPECT_EQ(fold.so_far().producer.throughput, std::nullopt);
  sample.set_taken_unix_us(kStartUnixUs + 1'020'000);
  for (auto* tally :
       {sample.mutable_consumer()->mutable_received(), sample.mutable_consumer()->mutable_run_received(),
        sample.mutable_consumer()->mutable_acknowledged(),
        sample.mutable_consumer()->mutable_run_acknowledged()}) {
    tally->set_inserts(90);
  }
  fold.sample("consumer-0", sample);
  ASSERT_TRUE(fold.counted());
  // As of the earlier of the two: beyond it not everything is known.
  EXPECT_EQ(fold.counted()->at_unix_us, kStartUnixUs + 1'000'000);
  EXPECT_EQ(fold.so_far().producer.throughput, 100);
}

TEST(PhaseLive, TellsOfTheLastSecondsByTheSameRulesAsOfTheWholePhase) {
  const SimulatedPipe pipe{.load = config::ConstantLoad{5000}, .duration_sec = 20};
  std::optional<PipeTotals> start;
  std::optional<PhaseReport> window, so_far;
  const PhaseFold fold = pipe.run_watched([&](const PhaseFold& running, const Second& second) {
    const auto elapsed = std::lround(second.phase_elapsed_sec);
    if (elapsed == 10) start = running.counted();
    if (elapsed != 15) return;
    window = running.since(*start);
    so_far = running.so_far();
  });
  ASSERT_TRUE(window && so_far);
  EXPECT_NEAR(*window->duration_sec, 5, 0.001);
  EXPECT_EQ(window->producer.records, 25'000);
  EXPECT_EQ(window->consumer.records, 25'000);
  EXPECT_NEAR(*so_far->duration_sec, 15, 0.001);
  EXPECT_EQ(so_far->producer.records, 75'000);
  const PhaseReport whole = fold.settle(Outcome::passed);
  EXPECT_EQ(window->producer.not_started, std::nullopt);
  EXPECT_EQ(whole.producer.not_started, 0);
  for (const PhaseReport& part : {*window, *so_far}) {
    EXPECT_NEAR(*part.producer.throughput, *whole.producer.throughput, 1);
    EXPECT_NEAR(*part.producer.target_ratio, 1, 0.001);
    EXPECT_NEAR(*part.producer.cpu_micros_per_record, 20, 0.1);  // a tenth of a core for 5000/s
    EXPECT_NEAR(*part.consumer.loop_utilization_mean, 0.2, 0.001);
    EXPECT_EQ(part.producer.write_latency_ms.p99, whole.producer.write_latency_ms.p99);
    EXPECT_NEAR(*part.consumer.lag_ms.p50, *whole.consumer.lag_ms.p50, 1);
    EXPECT_NEAR(*part.consumer.throughput, 5000, 60);
    EXPECT_NEAR(*part.consumer.records_per_flush, 50, 0.1);
    EXPECT_EQ(part.consumer.error_rate, 0);
    EXPECT_EQ(part.ledger.produced, std::nullopt);
    EXPECT_EQ(part.drain.duration_sec, std::nullopt);
  }
}

/// A table that was locked after 5 of 10 s: 100 transactions of 20 ms, then none; each second 20 more are
/// due.
class LockedTable : public ::testing::Test {
 protected:
  LockedTable() : fold_(facts_of(config::ConstantLoad{2000}, 10)) {
    fold_.ready("producer-0", ready_at(kStartUnixUs));
    fold_.ready("consumer-0", ready_at(kStartUnixUs));
    for (std::uint64_t i = 0; i < 100; ++i) {
      written_us_.record(20'000);
      started_us_.record(1000);
    }
  }

  template <typename Frame>
  Frame frame(double sec) const {
    auto frame = producer_at<Frame>(sec, 10'000, written_us_);
    proto::ProducerStats& stats = *frame.mutable_producer();
    stats.set_transactions(100);
    started_us_.to_proto(*stats.mutable_schedule_lag_us());
    wire::Histogram not_started_us, pending_us;
    for (double due = 5; due < sec - 0.001; due += 0.05) {
      // Four of them are under way, one a connection.
      (due < 5.19 ? pending_us : not_started_us).record(std::llround((sec - due) * 1e6));
    }
    not_started_us.to_proto(*stats.mutable_not_started_us());
    pending_us.to_proto(*stats.mutable_pending_us());
    stats.set_records_not_started(not_started_us.count() * 100);
    return frame;
  }

  void sample(double sec) {
    fold_.sample("producer-0", frame<proto::Sample>(sec));
    fold_.sample("consumer-0", consumer_at<proto::Sample>(sec, 10'000, 10'000));
  }

  PhaseFold fold_;
  wire::Histogram written_us_, started_us_;
};

TEST_F(LockedTable, IsInTheWriteLatencyOfTheWholePhaseWithTheAgeOfWhatWasDue) {
  fold_.result("producer-0", frame<proto::PhaseResult>(10));
  fold_.result("consumer-0", consumer_at<proto::PhaseResult>(10, 10'000, 10'000));
  const PhaseReport report = fold_.settle(Outcome::passed);
  EXPECT_EQ(report.producer.censored, 100);
  EXPECT_EQ(report.producer.not_started, 9600);
  EXPECT_EQ(report.producer.write_latency_ms.count, 200);
  EXPECT_NEAR(*report.producer.write_latency_ms.p99, 4900, 60);
  EXPECT_NEAR(*report.producer.write_latency_ms.max, 5000, 1);
  EXPECT_NEAR(*report.producer.schedule_lag_ms.p99, 4700, 60);
  EXPECT_EQ(report.producer.service_time_ms.count, 0) << "none was served";
}

TEST_F(LockedTable, IsInAWindowInWhichNothingWasWritten) {
  sample(6);
  const auto start = fold_.counted();
  ASSERT_TRUE(start);
  sample(8);
  const PhaseReport window = fold_.since(*start);
  EXPECT_EQ(window.producer.records, 0);
  EXPECT_EQ(window.producer.write_latency_ms.count, 60);
  EXPECT_NEAR(*window.producer.write_latency_ms.p99, 3000, 60);
  EXPECT_EQ(window.producer.censored, std::nullopt) << "told at the end";
}

TEST_F(LockedTable, IsInTheSecondsScheduleLag) {
  sample(6);
  const Second second = fold_.close_second(kStartUnixUs + 6 * kSecondUs);
  EXPECT_NEAR(*second.schedule_lag_p99_ms, 800, 60);
}

}  // namespace
}  // namespace walstorm::measure::test
