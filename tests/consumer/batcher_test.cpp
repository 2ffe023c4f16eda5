#include "consumer/batch/batcher.h"

#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "consumer/encode/block_form.h"

namespace walstorm::consumer {
namespace {

std::shared_ptr<const BlockLayout> some_layout() {
  return std::make_shared<const BlockLayout>();
}

struct Rig {
  explicit Rig(BatchLimits limits)
      : batcher(limits, pool, tracker,
                [this](std::unique_ptr<Batch> batch) { cut.push_back(std::move(batch)); }) {}

  void add(const std::shared_ptr<const BlockLayout>& layout, std::int64_t now_us = 0) {
    batcher.batch_for(layout, now_us).changes.add_insert(1);
    batcher.record_added();
  }

  BatchPool pool{1U << 20, [] { return make_block({}); }};
  LsnTracker tracker{wire::Lsn{1}};
  std::vector<std::unique_ptr<Batch>> cut;
  Batcher batcher;
};

TEST(Batcher, CutsABatchThatIsFull) {
  Rig rig({3, 100});
  const auto layout = some_layout();
  for (int i = 0; i < 7; ++i) rig.add(layout);
  ASSERT_EQ(rig.cut.size(), 2U);
  EXPECT_EQ(rig.cut[0]->changes.records(), 3U);
  EXPECT_EQ(rig.cut[1]->changes.records(), 3U);
  EXPECT_EQ(rig.batcher.open()->changes.records(), 1U);
}

TEST(Batcher, ABatchIsDueByItsFirstRecordsAge) {
  Rig rig({10, 100});
  const auto layout = some_layout();
  rig.add(layout, 1000);
  rig.add(layout, 1090);
  EXPECT_EQ(rig.batcher.due_steady_us(), 1100);
}

TEST(Batcher, ABatchNeverSpansPhases) {
  Rig rig({10, 100});
  const auto layout = some_layout();
  rig.add(layout);
  rig.batcher.start_phase(1);
  rig.add(layout);
  ASSERT_EQ(rig.cut.size(), 1U);
  EXPECT_EQ(rig.cut[0]->phase, 0U);
  EXPECT_EQ(rig.batcher.open()->phase, 1U);
}

TEST(Batcher, ABatchHoldsRowsOfOneShape) {
  Rig rig({10, 100});
  rig.add(some_layout());
  rig.add(some_layout());
  EXPECT_EQ(rig.cut.size(), 1U);
}

TEST(Batcher, CuttingNothingIsNothing) {
  Rig rig({10, 100});
  rig.batcher.cut();
  EXPECT_TRUE(rig.cut.empty());
}

TEST(Batcher, BatchesAreNumberedInTheStreamsOrder) {
  Rig rig({1, 100});
  const auto layout = some_layout();
  for (int i = 0; i < 3; ++i) rig.add(layout);
  EXPECT_EQ(rig.cut[0]->number, 1U);
  EXPECT_EQ(rig.cut[2]->number, 3U);
  EXPECT_EQ(rig.tracker.last_batch(), 3U);
}

TEST(BatchPool, GivesTheSameBatchAgainEmptied) {
  BatchPool pool{1U << 20, [] { return make_block({}); }};
  const auto layout = some_layout();
  auto batch = pool.take(layout);
  Batch* const address = batch.get();
  batch->changes.add_insert(1);
  batch->note(wire::Lsn{1}, 2, {3, 3});
  pool.give_back(std::move(batch));
  batch = pool.take(layout);
  EXPECT_EQ(batch.get(), address);
  EXPECT_EQ(batch->changes.records(), 0U);
  EXPECT_TRUE(batch->runs.empty());
}

TEST(Batch, RecordsCommittedAndReadTogetherShareARun) {
  Batch batch{make_block({})};
  batch.note(wire::Lsn{10}, 1, {5, 50});
  batch.note(wire::Lsn{11}, 1, {5, 50});
  batch.note(wire::Lsn{12}, 2, {5, 50});
  batch.note(wire::Lsn{13}, 2, {6, 50});
  ASSERT_EQ(batch.runs.size(), 3U);
  EXPECT_EQ(batch.runs[0].records, 2U);
  EXPECT_EQ(batch.first_lsn, wire::Lsn{10});
  EXPECT_EQ(batch.last_lsn, wire::Lsn{13});
}

}  // namespace
}  // namespace walstorm::consumer
