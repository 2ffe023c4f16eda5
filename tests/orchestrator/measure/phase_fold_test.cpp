#include "orchestrator/measure/fold/phase_fold.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/measure/figures/figures.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/measure/phase_frames.h"
#include "tests/orchestrator/measure/simulated_pipe.h"

namespace walstorm::measure::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Optional;

TEST(PhaseFold, MergesPercentilesOfTwoProducersToThoseOfOneWithBothStreams) {
  wire::Histogram low, high, both;
  for (std::int64_t i = 1; i <= 1000; ++i) {
    low.record(i);
    high.record(i * 977);
    both.record(i);
    both.record(i * 977);
  }
  PhaseFold two(facts_of(config::ConstantLoad{1000}, 2, {"producer-0", "producer-1"}));
  two.result("producer-0", producer_at<proto::PhaseResult>(2, 1000, low));
  two.result("producer-1", producer_at<proto::PhaseResult>(2, 1000, high));
  PhaseFold one(facts_of(config::ConstantLoad{1000}, 2));
  one.result("producer-0", producer_at<proto::PhaseResult>(2, 2000, both));

  const Distribution merged = two.settle(Outcome::passed).producer.write_latency_ms;
  const Distribution single = one.settle(Outcome::passed).producer.write_latency_ms;
  EXPECT_EQ(merged.count, 2000);
  EXPECT_EQ(merged.p50, single.p50);
  EXPECT_EQ(merged.p99, single.p99);
  EXPECT_EQ(merged.p999, single.p999);
  EXPECT_EQ(merged.max, single.max);
  EXPECT_EQ(merged.mean, single.mean);
}

TEST(PhaseFold, CountsThePartsThatThePhaseAdded) {
  PhaseFold fold(facts_of(config::ConstantLoad{100}, 10));
  EXPECT_EQ(fold.settle(Outcome::passed).consumer.parts_created, std::nullopt);
  fold.parts({.active = 3, .created = 100});
  fold.parts({.active = 9, .created = 130});
  fold.parts({.active = 5, .created = 142});
  const ConsumerReport consumer = fold.settle(Outcome::passed).consumer;
  EXPECT_EQ(consumer.parts_created, 42);
  EXPECT_EQ(consumer.parts_active_max, 9);
  EXPECT_EQ(consumer.parts_active_end, 5);
}

TEST(PhaseFold, TellsWhatTheLastFailedFlushWasAnswered) {
  PhaseFold fold(facts_of(config::ConstantLoad{100}, 10));
  auto sample = consumer_at<proto::Sample>(1, 100, 100);
  sample.mutable_consumer()->set_batches(4);
  fold.sample("consumer-0", sample);
  EXPECT_EQ(fold.settle(Outcome::passed).consumer.records_per_flush, 25);
  EXPECT_EQ(fold.settle(Outcome::passed).consumer.flush_error_last, "");
  auto result = consumer_at<proto::PhaseResult>(2, 100, 100);
  result.mutable_consumer()->set_flush_error_last("connection refused");
  fold.result("consumer-0", result);
  EXPECT_EQ(fold.settle(Outcome::passed).consumer.flush_error_last, "connection refused");
}

TEST(PhaseFold, SaysThatTheOrchestratorStoodStill) {
  PhaseFold fold(facts_of(config::ConstantLoad{100}, 60));
  fold.sample("producer-0", producer_at<proto::Sample>(1, 100));
  const std::int64_t start = fold.load_started().value();
  fold.stood_still(start + 10'000'000, start + 29'500'000);
  for (int i = 40; i < 44; ++i) fold.stood_still(start + i * 1'000'000, start + i * 1'000'000 + 500'000);
  EXPECT_THAT(
      fold.settle(Outcome::passed).notes,
      Contains(AllOf(HasSubstr("stood still for 21.5 s (10 s to 30 s, 40 s to 40 s, 41 s to 42 s and 2 times "
                               "more after the load began)"),
                     HasSubstr("missing in timeseries.csv"))));
}

TEST(PhaseFold, LosesNoCountWithASampleLost) {
  const PhaseReport whole = SimulatedPipe{.duration_sec = 20}.report();
  const PhaseReport lossy = SimulatedPipe{
      .duration_sec = 20, .sample_arrives = [](std::uint64_t n) {
        return n % 3 == 0;
      }}.report();
  EXPECT_EQ(lossy.producer.records, 100'000);
  EXPECT_EQ(lossy.producer.records, whole.producer.records);
  EXPECT_EQ(lossy.consumer.records, whole.consumer.records);
  EXPECT_EQ(lossy.consumer.lag_ms.count, whole.consumer.lag_ms.count);
  EXPECT_EQ(lossy.consumer.lag_ms.p99, whole.consumer.lag_ms.p99);
  EXPECT_EQ(lossy.producer.throughput, whole.producer.throughput);
  EXPECT_NEAR(*lossy.consumer.throughput, *whole.consumer.throughput, 1);
  EXPECT_EQ(lossy.ledger.checksum_matches, true);
}

TEST(PhaseFold, MeasuresTheTargetItReached) {
  const PhaseReport report = SimulatedPipe{.duration_sec = 20}.report();
  EXPECT_THAT(report.duration_sec, Optional(DoubleEq(20)));
  EXPECT_THAT(report.producer.throughput, Optional(5000.0));
  EXPECT_THAT(report.producer.target_ratio, Optional(1.0));
  EXPECT_EQ(report.producer.throughput_per_sec.count, 20);
  EXPECT_NEAR(*report.producer.throughput_per_sec.min, 5000, 1);
  EXPECT_NEAR(*report.producer.throughput_per_sec.max, 5000, 1);
  // 150 ms of the window's records are still on their way at its end.
  EXPECT_NEAR(*report.consumer.throughput, 5000 * (20 - 0.15) / 20, 5);
  EXPECT_NEAR(*report.consumer.lag_ms.p50, 150, 1);
  EXPECT_THAT(report.drain.duration_sec, Optional(AllOf(Ge(0.14), Le(0.16))));
  EXPECT_EQ(report.consumer.censored, 0);
}

TEST(PhaseFold, KeepsTheDrainOutOfTheThroughput) {
  const PhaseReport report =
      SimulatedPipe{.duration_sec = 10, .sink_capacity = 3000, .drain_timeout_sec = 60}.report();
  EXPECT_THAT(report.producer.throughput, Optional(5000.0));
  EXPECT_NEAR(*report.consumer.throughput, 3000, 60);
  EXPECT_EQ(report.consumer.records, 50'000);
  EXPECT_EQ(report.consumer.throughput_per_sec.count, 10);
}

TEST(PhaseFold, UsesTheLastSampleOfADeadProducerAndSaysSo) {
  SimulatedPipe pipe{.duration_sec = 20};
  pipe.producer_dies_at_sec = 5.5;
  const PhaseFold fold = pipe.run();
  const PhaseReport report = fold.settle(Outcome::failed);
  EXPECT_EQ(report.producer.records, 25'000);
  EXPECT_EQ(report.producer.not_started, std::nullopt);
  EXPECT_EQ(report.ledger.produced, std::nullopt);
  EXPECT_EQ(report.ledger.missing, std::nullopt);
  EXPECT_EQ(report.ledger.checksum_matches, std::nullopt);
  EXPECT_EQ(report.ledger.broken_at, "");
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("producer-0")));
  EXPECT_EQ(fold.rows_expected(), std::nullopt);
  EXPECT_EQ(fold.run_ledger().produced, std::nullopt);
  EXPECT_EQ(report.verdict.state, VerdictState::failed);
}

TEST(PhaseFold, NotesConnectionsThatAProducerLost) {
  PhaseFold fold(facts_of(config::ConstantLoad{1000}, 2));
  auto result = producer_at<proto::PhaseResult>(2, 2000);
  result.mutable_producer()->set_reconnects(3);
  result.mutable_producer()->set_offline_us_max(812'000);
  fold.result("producer-0", result);
  fold.result("consumer-0", consumer_at<proto::PhaseResult>(2, 2000, 2000));
  EXPECT_THAT(
      fold.settle(Outcome::passed).notes,
      ElementsAre("producer-0 lost its connection to PostgreSQL 3 times, reconnected within 0.812 s"));
  result.mutable_producer()->set_settled_committed(1);
  fold.result("producer-0", result);
  EXPECT_THAT(
      fold.settle(Outcome::passed).notes,
      ElementsAre(HasSubstr("; 1 commit without an answer was looked up: 1 committed, 0 rolled back")));
}

TEST(PhaseFold, EntersUnacknowledgedRecordsIntoTheLagAfterADrainTimeout) {
  const PhaseReport report =
      SimulatedPipe{.duration_sec = 10, .sink_capacity = 1000, .drain_timeout_sec = 10}.report();
  ASSERT_TRUE(report.consumer.censored);
  const std::uint64_t censored = *report.consumer.censored;
  EXPECT_NEAR(static_cast<double>(censored), 50'000 - 20'000, 300);
  EXPECT_EQ(report.ledger.in_transit, censored);
  EXPECT_EQ(report.ledger.missing, std::nullopt);
  EXPECT_EQ(report.consumer.lag_ms.count, 50'000);
  // A record is at most acknowledged 16 s after its commit (the 20,000th: due at 4 s, done at 20 s); the
  // first one left over is as old.
  EXPECT_NEAR(*report.consumer.lag_ms.max, 16'000, 200);
  EXPECT_EQ(report.ledger.broken_at, "");
}

TEST(PhaseFold, MeasuresNothingWhereNothingWasSent) {
  const PhaseFold fold(facts_of(config::ConstantLoad{1000}, 10));
  const PhaseReport report = fold.settle(Outcome::failed);
  EXPECT_EQ(report.producer.throughput, std::nullopt);
  EXPECT_EQ(report.started_at_unix_us, std::nullopt);
  EXPECT_EQ(report.duration_sec, std::nullopt);
  EXPECT_EQ(figure_of(report, "consumer.errors"), std::nullopt);
  EXPECT_EQ(figure_of(report, "producer.records"), std::nullopt);
  EXPECT_EQ(report.consumer.throughput, std::nullopt);
  EXPECT_EQ(report.consumer.lag_ms.p99, std::nullopt);
  EXPECT_EQ(report.consumer.heap_bytes_max, std::nullopt);
  EXPECT_EQ(report.consumer.loop_utilization_max, std::nullopt);
  EXPECT_EQ(report.consumer.wal_behind_bytes_max, std::nullopt);
  EXPECT_EQ(report.drain.completed, std::nullopt);
  for (const ProcessReport& process : report.processes) EXPECT_EQ(process.cpu_user_sec, std::nullopt);
}

TEST(PhaseFold, ClosesEachSecondWithItsOwnFigures) {
  std::vector<Second> seconds;
  const PhaseFold fold =
      SimulatedPipe{.duration_sec = 10, .sink_capacity = 3000, .drain_timeout_sec = 60}.run(
          [&](const Second& second) { seconds.push_back(second); });
  ASSERT_GE(seconds.size(), 15U);
  EXPECT_EQ(seconds[0].produced_per_sec, std::nullopt) << "no Sample had come yet";
  EXPECT_EQ(seconds[0].lag_p50_ms, std::nullopt);
  EXPECT_NEAR(*seconds[5].produced_per_sec, 5000, 1);
  EXPECT_NEAR(*seconds[5].landed_per_sec, 3000, 60);
  EXPECT_THAT(seconds[5].target_per_sec, Optional(5000.0));
  EXPECT_LT(*seconds[3].lag_p50_ms, *seconds[6].lag_p50_ms);
  EXPECT_NEAR(*seconds[5].loop_utilization, 0.2, 0.01);
  const Second& drained = seconds.back();
  EXPECT_TRUE(drained.draining);
  EXPECT_EQ(drained.target_per_sec, std::nullopt);
  EXPECT_THAT(drained.produced_per_sec, Optional(0.0));
  EXPECT_NEAR(*drained.landed_per_sec, 3000, 60);
}

TEST(PhaseFold, LeavesASecondWithoutSamplesEmptyInsteadOfZero) {
  std::vector<Second> seconds;
  const SimulatedPipe pipe{.duration_sec = 10, .sample_arrives = [](std::uint64_t n) { return n != 5; }};
  const PhaseFold fold = pipe.run([&](const Second& second) { seconds.push_back(second); });
  int empty = 0;
  for (const Second& second : seconds) {
    if (second.landed_per_sec) {
      EXPECT_NEAR(*second.landed_per_sec, 5000, 800);
    } else {
      ++empty;
      EXPECT_EQ(second.lag_p99_ms, std::nullopt);
      EXPECT_EQ(second.flushes_in_flight, std::nullopt);
      EXPECT_EQ(second.buffered_bytes, std::nullopt);
      EXPECT_EQ(second.sent_to_received_bytes, std::nullopt);
    }
  }
  EXPECT_EQ(empty, 2) << "the first second, and the one whose Sample was lost";
}

TEST(PhaseFold, MeasuresTheLadderInBytes) {
  PhaseFold fold(facts_of(config::ConstantLoad{1000}, 10));
  fold.ladder(
      {.at_unix_us = kStartUnixUs, .head_lsn = {{9000}}, .sent_lsn = {{8000}}, .confirmed_lsn = {{4000}}});
  fold.ladder(
      {.at_unix_us = kStartUnixUs, .head_lsn = {{9500}}, .sent_lsn = {{9400}}, .confirmed_lsn = {{9000}}});
  auto sample = consumer_at<proto::Sample>(1, 0, 0);
  sample.mutable_consumer()->set_received_lsn(9300);
  sample.mutable_consumer()->set_flushed_lsn(9200);
  fold.sample("consumer-0", sample);
  const Second second = fold.close_second(kStartUnixUs + kSecondUs);
  EXPECT_EQ(second.head_to_sent_bytes, 100);
  EXPECT_EQ(second.sent_to_received_bytes, 100);
  EXPECT_EQ(second.received_to_flushed_bytes, 100);
  EXPECT_EQ(second.flushed_to_confirmed_bytes, 200) << "confirmed as the server says, not as we told it";
  EXPECT_EQ(fold.close_second(kStartUnixUs + 2 * kSecondUs).head_to_sent_bytes, std::nullopt);
  const PhaseReport report = fold.settle(Outcome::passed);
  EXPECT_EQ(report.consumer.wal_behind_bytes_max, 5000);
  EXPECT_EQ(report.consumer.wal_behind_bytes_end, 500);
}

TEST(PhaseFold, TakesTheBusiestWindowOfTheLoopButNoneOfMilliseconds) {
  PhaseFold fold(facts_of(config::ConstantLoad{1000}, 10));
  const auto loop = [&](double sec, std::uint64_t busy_us) {
    auto sample = consumer_at<proto::Sample>(sec, 0, 0);
    sample.mutable_consumer()->set_busy_us(busy_us);
    sample.mutable_consumer()->set_elapsed_us(static_cast<std::uint64_t>(sec * 1e6));
    fold.sample("consumer-0", sample);
  };
  loop(1, 100'000);
  loop(2, 700'000);
  loop(2.01, 710'000);  // all of its 10 ms busy
  loop(3, 800'000);
  const PhaseReport report = fold.settle(Outcome::passed);
  EXPECT_NEAR(*report.consumer.loop_utilization_max, 0.6, 1e-9);
  EXPECT_NEAR(*report.consumer.loop_utilization_mean, 0.8 / 3, 1e-9);
}

TEST(PhaseFold, SpreadsEachProcessesCpuOverItsOwnRecords) {
  const PhaseReport report = SimulatedPipe{.duration_sec = 10}.report();
  // The simulated producer uses a tenth of a core: 1 s for 50,000 records.
  EXPECT_NEAR(*report.producer.cpu_micros_per_record, 20, 0.01);
  ASSERT_EQ(report.processes.size(), 6U);
  EXPECT_EQ(report.processes[1].role, "producer-0");
  EXPECT_EQ(report.processes[1].pid, 11);
  EXPECT_NEAR(*report.processes[1].cpu_user_sec, 1, 1e-6);
  EXPECT_EQ(report.processes[0].cpu_user_sec, std::nullopt) << "the orchestrator was never sampled";
}

TEST(PhaseFold, SettlesTheRunsLedgerOverItsPhases) {
  const PhaseFold first = SimulatedPipe{.duration_sec = 5}.run();
  PhaseFacts facts = facts_of(config::ConstantLoad{1000}, 4);
  facts.carry_over = first.carry_over();
  PhaseFold second(facts);
  auto produced = producer_at<proto::PhaseResult>(4, 10);
  auto consumed = consumer_at<proto::PhaseResult>(4, 10, 25'010);
  consumed.mutable_consumer()->mutable_run_acknowledged()->set_hash_xor(1);
  second.result("producer-0", produced);
  second.result("consumer-0", consumed);
  second.drain_ended(true, 0.1);
  const ChangeLedger run = second.run_ledger();
  EXPECT_EQ(run.produced, 25'010);
  EXPECT_EQ(run.acknowledged, 25'010);
  EXPECT_EQ(run.missing, 0);
  EXPECT_EQ(run.checksum_matches, false);
  EXPECT_EQ(run.broken_at, "stream");
  EXPECT_EQ(second.settle(Outcome::passed).outcome, Outcome::passed) << "the phase's own changes agree";
}

TEST(PhaseFold, CallsAPhaseWithABrokenLedgerFailed) {
  PhaseFold fold(facts_of(config::ConstantLoad{1000}, 4));
  fold.result("producer-0", producer_at<proto::PhaseResult>(4, 4000));
  fold.result("consumer-0", consumer_at<proto::PhaseResult>(4, 3999, 3999));
  fold.drain_ended(true, 0.1);
  const PhaseReport report = fold.settle(Outcome::passed);
  EXPECT_EQ(report.outcome, Outcome::failed);
  EXPECT_EQ(report.ledger.missing, 1);
  EXPECT_EQ(report.verdict.state, VerdictState::failed);
}

TEST(PhaseFold, RefusesCountsThatGoBackwardsAndWorkersThatItDoesNotKnow) {
  PhaseFold fold(facts_of(config::ConstantLoad{1000}, 4));
  fold.sample("producer-0", producer_at<proto::Sample>(1, 100));
  EXPECT_THROW(fold.sample("producer-0", producer_at<proto::Sample>(2, 99)), wire::Error);
  EXPECT_THROW(fold.sample("producer-7", producer_at<proto::Sample>(2, 99)), wire::Error);
}

}  // namespace
}  // namespace walstorm::measure::test
