#include "consumer/sink/flusher.h"

#include <chrono>
#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "consumer/encode/block_form.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

constexpr std::int64_t kGiveUpUs = 10'000'000;
const Landing kFailed{.error = "too many parts"};

/// Answers when told.
class HeldSink final : public Sink {
 public:
  [[nodiscard]] std::unique_ptr<Block> make_block() const override { return consumer::make_block({}); }
  void submit(const Batch& batch, Done done) override {
    ++attempts;
    held.emplace_back(batch.number, std::move(done));
  }

  void answer(std::size_t index, const Landing& landing = {}) {
    const Done done = held.at(index).second;
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
    done(landing);
  }

  std::deque<std::pair<std::uint64_t, Done>> held;
  std::size_t attempts = 0;
};

struct Rig {
  explicit Rig(std::size_t concurrency_max)
      : flusher(loop, clock, meter,
                {.concurrency_max = concurrency_max,
                 .give_up_us = kGiveUpUs,
                 .backoff = {.first_us = 2'000, .max_us = 8'000}},
                sink, pool,
                {[this](const Batch& batch, std::int64_t started, std::int64_t ended) {
                   acknowledged.push_back({batch.number, started, ended});
                 },
                 [this](const Batch&, const Landing& landing, bool retry) {
                   errors += landing.error.empty() ? 0 : 1;
                   retries += retry ? 1 : 0;
                 }}) {}

  /// Turns the loop until the sink has been asked `count` times over all, the back-off being real time.
  void await_attempts(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (sink.attempts < count && std::chrono::steady_clock::now() < deadline) {
      loop.restart();
      loop.run_one_for(std::chrono::seconds(1));
    }
    ASSERT_EQ(sink.attempts, count);
  }

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
  boost::asio::io_context loop;
  HeldSink sink;
  BatchPool pool{1U << 20, [] { return make_block({}); }};
  wire::ManualClock clock{0};
  BusyMeter meter{clock};
  int errors = 0;
  int retries = 0;
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
    batch->block->append({.values = row});
    rig.flusher.submit(std::move(batch));
  }
  EXPECT_EQ(rig.flusher.bytes(), 2 * (4U + 8U + 8U + 1U));
  rig.sink.answer(0);
  EXPECT_EQ(rig.flusher.bytes(), 4U + 8U + 8U + 1U);
  rig.sink.answer(0);
  EXPECT_EQ(rig.flusher.bytes(), 0U);
}

TEST(Flusher, AFailedBatchIsTriedAgainInItsFlightUntilItIsLanded) {
  Rig rig(1);
  rig.submit(1);
  rig.submit(2);
  rig.clock.advance_us(100);
  for (std::size_t failures = 1; failures <= 3; ++failures) {
    rig.sink.answer(0, kFailed);
    EXPECT_TRUE(rig.sink.held.empty());  // not at once
    EXPECT_EQ(rig.flusher.in_flight(), 1U);
    EXPECT_TRUE(rig.flusher.backed_up());
    rig.await_attempts(1 + failures);
    ASSERT_EQ(rig.sink.held.size(), 1U);
    EXPECT_EQ(rig.sink.held.front().first, 1U);
  }
  EXPECT_TRUE(rig.acknowledged.empty());
  rig.clock.advance_us(100);
  rig.sink.answer(0);
  ASSERT_EQ(rig.acknowledged.size(), 1U);
  EXPECT_EQ(rig.acknowledged[0].number, 1U);
  EXPECT_EQ(rig.acknowledged[0].started_us, 0);  // of its first attempt
  EXPECT_EQ(rig.acknowledged[0].ended_us, 200);
  EXPECT_EQ(rig.errors, 3);
  EXPECT_EQ(rig.retries, 3);
  rig.sink.answer(0);
  EXPECT_EQ(rig.acknowledged.back().number, 2U);
  EXPECT_EQ(rig.errors, 3);
  EXPECT_EQ(rig.retries, 3);  // batch 2 took over the flight, not its failures
}

TEST(Flusher, OthersLandWhileOneWaitsForItsNextAttempt) {
  Rig rig(2);
  rig.submit(1);
  rig.submit(2);
  rig.submit(3);
  rig.sink.answer(0, kFailed);
  rig.sink.answer(0);
  ASSERT_EQ(rig.acknowledged.size(), 1U);
  EXPECT_EQ(rig.acknowledged[0].number, 2U);
  ASSERT_EQ(rig.sink.held.size(), 1U);
  EXPECT_EQ(rig.sink.held.front().first, 3U);
}

TEST(Flusher, GivesUpWhenEveryAttemptHasFailedForTooLong) {
  Rig rig(1);
  rig.submit(7);
  rig.sink.answer(0, kFailed);
  rig.await_attempts(2);
  rig.clock.advance_us(kGiveUpUs - 1);
  rig.sink.answer(0, kFailed);
  rig.await_attempts(3);
  rig.clock.advance_us(1);
  try {
    rig.sink.answer(0, kFailed);
    FAIL() << "goes on";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_THAT(error.what(),
                testing::HasSubstr("every attempt of the last 10 s to land one batch failed, 3 of them"));
    EXPECT_THAT(error.what(), testing::HasSubstr("too many parts"));
    EXPECT_THAT(error.what(), testing::HasSubstr("clickhouse.giveUpSec"));
  }
  EXPECT_TRUE(rig.acknowledged.empty());
  EXPECT_EQ(rig.flusher.in_flight(), 1U);  // never dropped
}

TEST(Flusher, ABatchThatNeverLandsIsGivenUpThoughOthersLandBesideIt) {
  Rig rig(2);
  rig.submit(1);
  rig.sink.answer(0, kFailed);
  rig.await_attempts(2);
  for (std::uint64_t other = 2; other <= 10; ++other) {  // one a second, each landed at once
    rig.clock.advance_us(kGiveUpUs / 10);
    rig.submit(other);
    rig.sink.answer(1);
    ASSERT_EQ(rig.acknowledged.back().number, other);
  }
  rig.clock.advance_us(kGiveUpUs / 10);
  EXPECT_THROW(rig.sink.answer(0, kFailed), wire::Error);
  EXPECT_EQ(rig.acknowledged.size(), 9U);
}

TEST(Flusher, ABatchHasAllOfItsTimeHoweverLongOthersFailedBeforeIt) {
  Rig rig(2);
  rig.submit(1);
  rig.clock.advance_us(kGiveUpUs - 1);
  rig.submit(2);
  rig.sink.answer(0, kFailed);
  rig.await_attempts(3);
  rig.sink.answer(1);  // 1, in its last attempt
  rig.clock.advance_us(kGiveUpUs - 1);
  rig.sink.answer(0, kFailed);
  rig.await_attempts(4);
  rig.sink.answer(0);
  EXPECT_EQ(rig.acknowledged.size(), 2U);
}

}  // namespace
}  // namespace walstorm::consumer
