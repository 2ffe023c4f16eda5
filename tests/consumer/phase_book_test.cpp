#include "consumer/metrics/phase_book.h"

#include <gtest/gtest.h>

#include "consumer/encode/block_form.h"

namespace walstorm::consumer {
namespace {

Batch batch_of(std::uint32_t phase, std::uint64_t records, std::int64_t commit_unix_us = 0,
               const Instant& received = {}) {
  Batch batch{make_block({})};
  batch.phase = phase;
  for (std::uint64_t i = 0; i < records; ++i) {
    batch.changes.add_insert(i);
    batch.note(wire::Lsn{1}, commit_unix_us, received);
  }
  return batch;
}

TEST(PhaseBook, CountsABatchForThePhaseThatTheStreamWasIn) {
  PhaseBook book;
  book.received(batch_of(0, 3));
  EXPECT_EQ(book.marker(0, 1), 1U);
  book.received(batch_of(1, 2));
  book.acknowledged(batch_of(0, 3), 0, 0);
  EXPECT_EQ(book.of(0).received.records(), 3U);
  EXPECT_EQ(book.of(0).acknowledged.records(), 3U);
  EXPECT_EQ(book.of(1).received.records(), 2U);
  EXPECT_EQ(book.of(1).acknowledged.records(), 0U);
}

TEST(PhaseBook, StragglersOfAClosedPhaseCountForTheRunAndForNoPhase) {
  PhaseBook book;
  book.received(batch_of(0, 5));
  book.close(0);
  book.reading().bytes += 100;
  book.received(batch_of(0, 2));
  book.acknowledged(batch_of(0, 7), 10, 20);
  EXPECT_EQ(book.of(1).received.records(), 0U);
  EXPECT_EQ(book.of(1).acknowledged.records(), 0U);
  EXPECT_EQ(book.of(1).batches, 0U);
  EXPECT_EQ(book.of(1).bytes, 0U);
  EXPECT_TRUE(book.of(1).lag_us.empty());
  EXPECT_EQ(book.run_received().records(), 7U);
  EXPECT_EQ(book.run_acknowledged().records(), 7U);
}

TEST(PhaseBook, AfterALateMarkerTheNextPhaseIsRead) {
  PhaseBook book;
  book.close(0);
  EXPECT_EQ(book.marker(0, 4), 1U);
  book.reading().bytes += 100;
  EXPECT_EQ(book.of(1).bytes, 100U);
}

TEST(PhaseBook, AMarkerSeenAgainChangesNothing) {
  PhaseBook book;
  EXPECT_EQ(book.marker(0, 4), 1U);
  EXPECT_EQ(book.marker(0, 9), std::nullopt);
  EXPECT_EQ(book.of(0).last_batch, 4U);
}

TEST(PhaseBook, LagIsReceivePlusQueuePlusFlushForEachRecord) {
  PhaseBook book;
  book.acknowledged(batch_of(0, 4, 1'000, {50, 1'100}), 70, 73);
  const PhaseFigures& figures = book.of(0);
  EXPECT_EQ(figures.batches, 1U);
  for (const auto* histogram : {&figures.lag_us, &figures.receive_us, &figures.queue_us, &figures.flush_us}) {
    EXPECT_EQ(histogram->count(), 4U);
  }
  EXPECT_EQ(figures.receive_us.max(), 100.0);
  EXPECT_EQ(figures.queue_us.max(), 20.0);
  EXPECT_EQ(figures.flush_us.max(), 3.0);
  EXPECT_EQ(figures.lag_us.max(), 123.0);
}

TEST(PhaseBook, AWallClockThatStepsTouchesNoStageButItsOwnAndIsCounted) {
  PhaseBook book;
  // Read 2 ms after its commit. Then the clock is set back by 3 s: what was committed before and read after.
  book.acknowledged(batch_of(0, 4, 10'000'000, {1'000, 10'002'000}), 51'000, 101'000);
  book.acknowledged(batch_of(0, 3, 10'010'000, {12'000, 7'012'000}), 51'000, 101'000);
  const PhaseFigures& figures = book.of(0);
  EXPECT_EQ(figures.before_commit, 3U);
  EXPECT_EQ(figures.before_commit_us_max, 2'998'000);
  EXPECT_EQ(figures.receive_us.max(), 2'000.0);
  EXPECT_EQ(figures.receive_us.min(), 0.0);
  EXPECT_EQ(figures.queue_us.max(), 50'000.0);
  EXPECT_EQ(figures.queue_us.min(), 39'000.0);
  EXPECT_EQ(figures.flush_us.min(), 50'000.0);
  EXPECT_EQ(figures.lag_us.max(), 102'000.0);
  EXPECT_EQ(figures.lag_us.min(), 89'000.0);  // never less than its other stages
}

}  // namespace
}  // namespace walstorm::consumer
