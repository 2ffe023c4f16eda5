#include "producer/write_loop.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <utility>

#include "proto/wire/error.h"

namespace walstorm::producer {
namespace {

/// A server that takes `service_us` for each batch and answers as told.
class ScriptedWriter final : public RowWriter {
 public:
  struct Script {
    std::int64_t service_us = 0;
    std::optional<SqlError> every_third;
    std::uint64_t rows_lost = 0;
    std::optional<Loss> every_fifth;
    int batches = 0;
    std::optional<SqlError> every_time = {};
  };

  ScriptedWriter(boost::asio::io_context& loop, Script& script) : timer_(loop), script_(script) {}

  void write(const Batch& batch, OnWritten on_written) override {
    timer_.expires_after(std::chrono::microseconds(script_.service_us));
    timer_.async_wait([this, &batch, done = std::move(on_written)](const boost::system::error_code&) {
      Written written{batch.records() - script_.rows_lost, 10 * batch.records(), std::nullopt, std::nullopt};
      if (++script_.batches % 3 == 0) written.error = script_.every_third;
      if (script_.every_time) written.error = script_.every_time;
      if (script_.batches % 5 == 0) written.loss = script_.every_fifth;
      done(written);
    });
  }

 private:
  boost::asio::steady_timer timer_;
  Script& script_;
};

class OneConnection : public ::testing::Test {
 protected:
  OneConnection()
      : writer_(loop_, script_),
        away_(loop_),
        due_(loop_, clock_),
        writes_(loop_, clock_, ledger(), recover()) {}

  static Ledger ledger() { return {1, 0, {0.5, 0}, 1000}; }

  /// Runs a phase in batches of 10 to its end.
  void run(const PhaseLoad& load) {
    start(load, WriteLoop::Content::mixed);
    loop_.run();
  }

  void start(const PhaseLoad& load, WriteLoop::Content content) {
    due_.start(Pacer(Schedule(load), 0, 1), clock_.steady_us());
    writes_.start(due_, writer_, content, stats_, [this] { ended_ = true; });
  }

  void stop() {
    due_.stop();
    writes_.stop();
  }

  /// A server that is away for a moment and then says what it made of the batch.
  WriteLoop::Recover recover() {
    return [this](const Batch&, const Loss&, Recovery::OnRecovered done) {
      away_.expires_after(std::chrono::microseconds(kAwayUs));
      away_.async_wait([this, done = std::move(done)](const boost::system::error_code&) { done(fate_); });
    };
  }

  static constexpr std::int64_t kAwayUs = 20'000;

  // 100 records due within 100 ms, of a phase so long that a slow machine has time for all of them.
  static constexpr PhaseLoad kKept{TargetRate{1000, 1000}, 10'000'000, 100, 10};

  boost::asio::io_context loop_;
  wire::SystemClock clock_;
  ScriptedWriter::Script script_;
  ScriptedWriter writer_;
  boost::asio::steady_timer away_;
  Fate fate_ = Fate::rolled_back;
  DueBatches due_;
  WriteLoop writes_;
  PhaseStats stats_;
  bool ended_ = false;
};

TEST_F(OneConnection, WritesAllOfAScheduleThatItKeeps) {
  run(kKept);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(stats_.transactions, 10U);
  EXPECT_EQ(stats_.produced.records(), 100U);
  EXPECT_EQ(stats_.bytes, 1000U);
  EXPECT_EQ(stats_.write_latency_us.count(), 10U);
  EXPECT_EQ(stats_.service_time_us.count(), 10U);
  EXPECT_EQ(stats_.schedule_lag_us.count(), 10U);
  EXPECT_EQ(due_.records_not_started(100'000), 0U);
  EXPECT_EQ(writes_.ledger().expected().rows, stats_.produced.inserts);
}

TEST_F(OneConnection, OwesWhatItCannotWriteAndDropsItAtTheEnd) {
  script_.service_us = 25'000;  // a batch is due every 5 ms
  run({TargetRate{2000, 2000}, 100'000, 0, 10});
  EXPECT_TRUE(ended_);
  EXPECT_LE(stats_.transactions, 4U);
  EXPECT_EQ(stats_.produced.records() + due_.records_not_started(100'000), 200U);
  // The last batch started at least one service time later than due, and its write latency says so.
  EXPECT_GE(stats_.schedule_lag_us.max(), 20'000);
  EXPECT_GE(stats_.write_latency_us.max().value(), stats_.schedule_lag_us.max().value() + 25'000);
  EXPECT_LT(stats_.service_time_us.min(), stats_.write_latency_us.max());
}

TEST_F(OneConnection, UnthrottledWritesUntilTheEndAndTimesOnlyTheService) {
  script_.service_us = 1000;
  run({std::nullopt, 100'000, 0, 10});
  EXPECT_TRUE(ended_);
  EXPECT_GT(stats_.transactions, 1U);
  EXPECT_EQ(stats_.service_time_us.count(), stats_.transactions);
  EXPECT_TRUE(stats_.write_latency_us.empty());
  EXPECT_TRUE(stats_.schedule_lag_us.empty());
}

TEST_F(OneConnection, WritesABatchAgainThatWasRolledBackBecauseOfOthers) {
  for (const char* sqlstate : {"40001", "40P01", "55P03", "57014"}) {
    stats_ = {};
    script_ = {0, SqlError{sqlstate, "not this time"}, 0, std::nullopt, 0};
    loop_.restart();
    const std::uint64_t rows_before = writes_.ledger().expected().rows;
    run(kKept);
    EXPECT_TRUE(std::exchange(ended_, false));
    // Of 10 batches, each third try is refused: 14 tries.
    EXPECT_EQ(stats_.errors, (std::map<std::string, std::uint64_t, std::less<>>{{sqlstate, 4}}));
    EXPECT_EQ(stats_.produced.records(), 100U) << "no record on offer is lost with a transaction";
    EXPECT_EQ(stats_.records_failed, 0U);
    EXPECT_EQ(stats_.write_latency_us.count(), 10U);
    EXPECT_EQ(stats_.schedule_lag_us.count(), 10U) << "a batch starts once";
    EXPECT_EQ(writes_.ledger().expected().rows, rows_before + stats_.produced.inserts);
  }
}

TEST_F(OneConnection, GivesUpWhatIsRolledBackOverAndOverWhenTheLoadIsOver) {
  script_.service_us = 1000;
  script_.every_time = SqlError{"57014", "canceling statement due to statement timeout"};
  run({TargetRate{100, 100}, 100'000, 0, 10});
  EXPECT_TRUE(ended_);
  EXPECT_EQ(stats_.produced.records(), 0U);
  EXPECT_GE(stats_.all_errors(), 2U);
  EXPECT_EQ(stats_.records_failed, 10U);
  EXPECT_EQ(stats_.failed_us.count(), 1U);
  EXPECT_GE(stats_.failed_us.max().value(), 100'000) << "it had been due for as long as the load was on";
  EXPECT_EQ(writes_.ledger().expected().rows, 0U);
}

TEST_F(OneConnection, StoppedBetweenTwoTriesGivesTheBatchUp) {
  script_.every_time = SqlError{"40001", "could not serialize access"};
  boost::asio::steady_timer stop(loop_, std::chrono::milliseconds(25));
  stop.async_wait([this](const boost::system::error_code&) { this->stop(); });
  run({TargetRate{1000, 1000}, 60'000'000, 10, 10});
  EXPECT_TRUE(ended_);
  EXPECT_EQ(stats_.records_failed, 10U);
}

TEST_F(OneConnection, EndsWithTheServersWordsOnAnyOtherRefusal) {
  script_.every_third = SqlError{"23505", "duplicate key value"};
  try {
    run(kKept);
    FAIL() << "the refusal was swallowed";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::data);
    EXPECT_NE(std::string(error.what()).find("duplicate key value (SQLSTATE 23505)"), std::string::npos);
  }
}

TEST_F(OneConnection, RefusesACommitThatChangedFewerRowsThanItShould) {
  script_.rows_lost = 1;
  EXPECT_THROW(run(kKept), wire::Error);
}

TEST_F(OneConnection, StoppedWhileItWaitsStartsNothingMore) {
  boost::asio::steady_timer stop(loop_, std::chrono::milliseconds(25));
  stop.async_wait([this](const boost::system::error_code&) { this->stop(); });
  run({TargetRate{1000, 1000}, 10'000'000, 0, 10});
  EXPECT_TRUE(ended_);
  EXPECT_GE(stats_.transactions, 1U);
  EXPECT_LT(stats_.transactions, 500U);
  EXPECT_EQ(due_.records_not_started(10'000'000), 10'000 - stats_.produced.records());
}

TEST_F(OneConnection, WritesABatchAgainThatItsLostSessionRolledBack) {
  script_.every_fifth = Loss{"terminated", false};
  run(kKept);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(stats_.produced.records(), 100U) << "no record on offer is lost with a connection";
  EXPECT_EQ(stats_.transactions, 10U);
  EXPECT_EQ(stats_.reconnects, 2U) << "10 batches in 12 tries, the 5th and the 10th of them lost";
  EXPECT_EQ(stats_.all_errors(), 2U);
  EXPECT_EQ(stats_.records_failed, 0U);
  EXPECT_EQ(stats_.settled_committed + stats_.settled_rolled_back, 0U) << "there was nothing to settle";
  EXPECT_GE(stats_.offline_us, 2 * kAwayUs);
  EXPECT_GE(stats_.offline_us_max, kAwayUs);
  EXPECT_LE(stats_.offline_us_max, stats_.offline_us - kAwayUs);
  EXPECT_GE(stats_.write_latency_us.max().value(), kAwayUs) << "the outage is in the latency";
  EXPECT_GE(stats_.service_time_us.max().value(), kAwayUs);
  EXPECT_EQ(stats_.schedule_lag_us.count(), 10U) << "a batch starts once";
  EXPECT_EQ(writes_.ledger().expected().rows, stats_.produced.inserts);
}

TEST_F(OneConnection, CountsACommitWhoseAnswerWasLostAsWhatItWasFoundToBe) {
  script_.every_fifth = Loss{"terminated", true};
  fate_ = Fate::committed;
  run(kKept);
  EXPECT_EQ(stats_.produced.records(), 100U);
  EXPECT_EQ(script_.batches, 10) << "what is committed is not written again";
  EXPECT_EQ(stats_.settled_committed, 2U);
  EXPECT_EQ(stats_.settled_rolled_back, 0U);
  EXPECT_EQ(stats_.all_errors(), 0U);
  EXPECT_EQ(stats_.bytes, 1000U);
}

TEST_F(OneConnection, StoppedWhileTheServerIsAwayEndsWhenTheBatchIsSettled) {
  script_.every_fifth = Loss{"terminated", true};
  boost::asio::steady_timer stop(loop_, std::chrono::milliseconds(1));
  script_.batches = 4;  // the first batch is lost
  stop.async_wait([this](const boost::system::error_code&) { this->stop(); });
  run(kKept);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(stats_.settled_rolled_back, 1U);
  EXPECT_EQ(stats_.records_failed, 10U) << "rolled back and not written again: the load is over";
  EXPECT_EQ(stats_.produced.records(), 0U);
  EXPECT_EQ(writes_.ledger().expected().rows, 0U);
}

TEST_F(OneConnection, PreloadsNewRowsAloneAndOutsideOfTheShares) {
  start({std::nullopt, 10'000'000, 100, 10}, WriteLoop::Content::new_rows);
  loop_.run();
  EXPECT_EQ(stats_.produced.inserts, 100U);
  EXPECT_EQ(stats_.produced.records(), 100U);
  stats_ = {};
  loop_.restart();
  run(kKept);
  EXPECT_EQ(stats_.produced.updates, 50U);
  EXPECT_EQ(stats_.became_inserts, 0U);
}

/// A server that does not answer until it is let.
class HeldWriter final : public RowWriter {
 public:
  void write(const Batch& batch, OnWritten on_written) override {
    ++batches;
    answer_ = [&batch, done = std::move(on_written)] { done({batch.records(), 0, {}, {}}); };
  }
  void answer() { std::exchange(answer_, nullptr)(); }

  int batches = 0;

 private:
  std::function<void()> answer_;
};

TEST(WriteLoops, OfInsertsAloneWriteEachOthersShareAndTheSameRowsAsWithoutAStuckOne) {
  // Two connections; the first one's batch is held until the other has written all the rest.
  boost::asio::io_context loop;
  const wire::SystemClock clock;
  ScriptedWriter::Script free_script;
  HeldWriter stuck;
  ScriptedWriter free(loop, free_script);
  const WriteLoop::Recover none = [](const Batch&, const Loss&, const Recovery::OnRecovered&) {};
  WriteLoop one(loop, clock, Ledger(1, 0, {1, 0}, 100), none);
  WriteLoop two(loop, clock, Ledger(1, 1, {1, 0}, 100), none);
  DueBatches due(loop, clock);
  PhaseStats stats;
  int ended = 0;
  due.start(Pacer(Schedule({TargetRate{10'000, 10'000}, 60'000'000, 100, 10}), 0, 1), clock.steady_us());
  const auto ledger_of = [&](std::uint64_t batch) -> Ledger& {
    return batch % 2 == 0 ? one.ledger() : two.ledger();
  };
  one.start(
      due, stuck, WriteLoop::Content::mixed, stats, [&ended] { ++ended; }, ledger_of);
  const auto two_ended = [&] {
    ++ended;
    stuck.answer();
  };
  two.start(due, free, WriteLoop::Content::mixed, stats, two_ended, ledger_of);
  loop.run();
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(stats.produced.inserts, 100U);
  EXPECT_EQ(stuck.batches, 1);
  EXPECT_EQ(free_script.batches, 9);
  // Each slot made the rows that are its own, whoever wrote them.
  EXPECT_EQ(one.ledger().expected().rows, 50U);
  EXPECT_EQ(two.ledger().expected().rows, 50U);
  wire::RowTally rows;
  for (std::uint32_t slot = 0; slot < 2; ++slot) {
    for (std::uint64_t sequence = 0; sequence < 50; ++sequence) {
      rows.add(row_hash(1, {RowId::of(slot, sequence), 0}));
    }
  }
  wire::RowTally expected = one.ledger().expected();
  expected.merge(two.ledger().expected());
  EXPECT_EQ(expected, rows);
}

TEST_F(OneConnection, KeepsItsRowsOverPhases) {
  run(kKept);
  const wire::ChangeTally first = std::exchange(stats_, {}).produced;
  loop_.restart();
  run(kKept);
  EXPECT_EQ(stats_.produced.updates, 50U);
  EXPECT_EQ(stats_.became_inserts, 0U);
  EXPECT_EQ(writes_.ledger().expected().rows, first.inserts + stats_.produced.inserts);
}

}  // namespace
}  // namespace walstorm::producer
