#include "producer/write_loop.h"

#include <chrono>
#include <cstdint>
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
  };

  ScriptedWriter(boost::asio::io_context& loop, Script& script) : timer_(loop), script_(script) {}

  void write(const Batch& batch, OnWritten on_written) override {
    timer_.expires_after(std::chrono::microseconds(script_.service_us));
    timer_.async_wait([this, &batch, done = std::move(on_written)](const boost::system::error_code&) {
      Written written{batch.records() - script_.rows_lost, 10 * batch.records(), std::nullopt, std::nullopt};
      if (++script_.batches % 3 == 0) written.error = script_.every_third;
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
  OneConnection() : writer_(loop_, script_), away_(loop_), writes_(loop_, clock_, ledger(), recover()) {}

  static Ledger ledger() { return {1, 0, {0.5, 0}, 1000}; }

  /// Runs a phase in batches of 10 to its end.
  void run(const PhaseLoad& load) {
    start(load, WriteLoop::Content::mixed);
    loop_.run();
  }

  void start(const PhaseLoad& load, WriteLoop::Content content) {
    writes_.start(Pacer(Schedule(load), 0, 1), clock_.steady_us(), writer_, content, stats_,
                  [this] { ended_ = true; });
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
  EXPECT_EQ(writes_.records_not_started(100'000), 0U);
  EXPECT_EQ(writes_.ledger().expected().rows, stats_.produced.inserts);
}

TEST_F(OneConnection, OwesWhatItCannotWriteAndDropsItAtTheEnd) {
  script_.service_us = 25'000;  // a batch is due every 5 ms
  run({TargetRate{2000, 2000}, 100'000, 0, 10});
  EXPECT_TRUE(ended_);
  EXPECT_LE(stats_.transactions, 4U);
  EXPECT_EQ(stats_.produced.records() + writes_.records_not_started(100'000), 200U);
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

TEST_F(OneConnection, CountsARolledBackTransactionAndGoesOn) {
  script_.every_third = SqlError{"40P01", "deadlock detected"};
  run(kKept);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(stats_.errors, 3U);
  EXPECT_EQ(stats_.records_failed, 30U);
  EXPECT_EQ(stats_.produced.records(), 70U);
  EXPECT_EQ(stats_.write_latency_us.count(), 7U);
  EXPECT_EQ(writes_.ledger().expected().rows, stats_.produced.inserts);
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
  stop.async_wait([this](const boost::system::error_code&) { writes_.stop(); });
  run({TargetRate{1000, 1000}, 10'000'000, 0, 10});
  EXPECT_TRUE(ended_);
  EXPECT_GE(stats_.transactions, 1U);
  EXPECT_LT(stats_.transactions, 500U);
  EXPECT_EQ(writes_.records_not_started(10'000'000), 10'000 - stats_.produced.records());
}

TEST_F(OneConnection, WritesABatchAgainThatItsLostSessionRolledBack) {
  script_.every_fifth = Loss{"terminated", false};
  run(kKept);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(stats_.produced.records(), 100U) << "no record on offer is lost with a connection";
  EXPECT_EQ(stats_.transactions, 10U);
  EXPECT_EQ(stats_.reconnects, 2U) << "10 batches in 12 tries, the 5th and the 10th of them lost";
  EXPECT_EQ(stats_.errors, 2U);
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
  EXPECT_EQ(stats_.errors, 0U);
  EXPECT_EQ(stats_.bytes, 1000U);
}

TEST_F(OneConnection, StoppedWhileTheServerIsAwayEndsWhenTheBatchIsSettled) {
  script_.every_fifth = Loss{"terminated", true};
  boost::asio::steady_timer stop(loop_, std::chrono::milliseconds(1));
  script_.batches = 4;  // the first batch is lost
  stop.async_wait([this](const boost::system::error_code&) { writes_.stop(); });
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
