#include "consumer/flusher.h"

#include <deque>
#include <gtest/gtest.h>
#include <memory>
#include <utility>
#include <vector>

namespace walstorm::consumer {
namespace {

/// Answers when told.
class HeldSink final : public Sink {
 public:
  void submit(const Batch& batch, Done done) override { held.emplace_back(batch.number, std::move(done)); }

  void answer(std::size_t index) {
    const Done done = held.at(index).second;
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
    done();
  }

  std::deque<std::pair<std::uint64_t, Done>> held;
};

struct Rig {
  explicit Rig(std::size_t concurrency_max)
      : flusher(concurrency_max, sink, pool, clock,
                [this](const Batch& batch, std::int64_t started, std::int64_t ended) {
                  acknowledged.push_back({batch.number, started, ended});
                }) {}

  void submit(std::uint64_t number) {
    auto batch = pool.take(layout);
    batch->number = number;
    flusher.submit(std::move(batch));
  }

  struct Acknowledged {
    std::uint64_t number;
    std::int64_t started_us;
    std::int64_t ended_us;
  };

  std::shared_ptr<const BlockLayout> layout = std::make_shared<const BlockLayout>();
  HeldSink sink;
  BatchPool pool{1U << 20};
  wire::ManualClock clock{0};
  std::vector<Acknowledged> acknowledged;
  Flusher flusher;
};

TEST(Flusher, HasAtMostSoManyInFlightAndTheRestWaitInOrder) {
  Rig rig(2);
  for (std::uint64_t i = 1; i <= 4; ++i) rig.submit(i);
  EXPECT_EQ(rig.flusher.in_flight(), 2U);
  EXPECT_TRUE(rig.flusher.backed_up());
  ASSERT_EQ(rig.sink.held.size(), 2U);
  rig.sink.answer(1);
  EXPECT_EQ(rig.acknowledged.back().number, 2U);
  ASSERT_EQ(rig.sink.held.size(), 2U);
  EXPECT_EQ(rig.sink.held.back().first, 3U);
  rig.sink.answer(0);
  EXPECT_FALSE(rig.flusher.backed_up());
  EXPECT_FALSE(rig.flusher.has_free_flight());
  rig.sink.answer(0);
  rig.sink.answer(0);
  EXPECT_EQ(rig.flusher.in_flight(), 0U);
  EXPECT_EQ(rig.acknowledged.size(), 4U);
}

TEST(Flusher, AFlushStartsWhenItsTurnComesNotWhenItWasSubmitted) {
  Rig rig(1);
  rig.submit(1);
  rig.submit(2);
  rig.clock.advance_us(50);
  rig.sink.answer(0);
  rig.clock.advance_us(7);
  rig.sink.answer(0);
  ASSERT_EQ(rig.acknowledged.size(), 2U);
  EXPECT_EQ(rig.acknowledged[0].started_us, 0);
  EXPECT_EQ(rig.acknowledged[0].ended_us, 50);
  EXPECT_EQ(rig.acknowledged[1].started_us, 50);
  EXPECT_EQ(rig.acknowledged[1].ended_us, 57);
}

TEST(Flusher, HoldsTheBytesOfWaitingAndFlyingBatches) {
  Rig rig(1);
  BlockLayout columns;
  columns.columns = {{"id", ColumnKind::string, false, 25}, {"row_hash", ColumnKind::hash, false, 20}};
  columns.row_hash = 1;
  rig.layout = std::make_shared<const BlockLayout>(columns);
  for (int i = 0; i < 2; ++i) {
    auto batch = rig.pool.take(rig.layout);
    const std::vector<Value> row{{ValueKind::text, "abc"}, {ValueKind::text, "1"}};
    batch->block.append({.values = row});
    rig.flusher.submit(std::move(batch));
  }
  EXPECT_EQ(rig.flusher.bytes(), 2 * (4U + 8U + 8U + 1U));
  rig.sink.answer(0);
  EXPECT_EQ(rig.flusher.bytes(), 4U + 8U + 8U + 1U);
  rig.sink.answer(0);
  EXPECT_EQ(rig.flusher.bytes(), 0U);
}

}  // namespace
}  // namespace walstorm::consumer
