#include "producer/due_batches.h"

#include <chrono>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

namespace walstorm::producer {
namespace {

/// Connections that hold each batch until they are told that it is written.
class Connections : public ::testing::Test {
 protected:
  void start(const PhaseLoad& load, std::size_t connections) {
    taken_.assign(connections, 0);
    due_.start(Pacer(Schedule(load), 0, 1), clock_.steady_us());
    for (std::size_t i = 0; i < connections; ++i) ask(i);
  }

  void ask(std::size_t connection) {
    due_.ask([this, connection](const std::optional<DueBatches::Batch>& batch) {
      if (!batch) {
        ++ended_;
        return;
      }
      ++taken_[connection];
      order_ += static_cast<char>('a' + connection);
      if (connection != stuck_) ask(connection);
    });
  }

  // Due at once as good as, in a phase so long that no machine is too slow.
  static constexpr PhaseLoad kEightBatches{TargetRate{100'000, 100'000}, 60'000'000, 80, 10};

  boost::asio::io_context loop_;
  wire::SystemClock clock_;
  DueBatches due_{loop_, clock_};
  std::vector<int> taken_;
  std::string order_;
  std::optional<std::size_t> stuck_;
  std::size_t ended_ = 0;
};

TEST_F(Connections, TakeTurnsWhileAllKeepUp) {
  start(kEightBatches, 4);
  EXPECT_EQ(order_, "") << "nothing starts before the loop turns";
  loop_.run();
  EXPECT_EQ(order_, "abcdabcd");
  EXPECT_EQ(ended_, 4U);
  EXPECT_EQ(due_.records_not_started(60'000'000), 0U);
}

TEST_F(Connections, TakeOverWhatAStuckOneWouldHaveWritten) {
  stuck_ = 1;
  start(kEightBatches, 4);
  loop_.run();
  EXPECT_EQ(taken_[1], 1) << "the batch it is stuck with";
  EXPECT_EQ(taken_[0] + taken_[2] + taken_[3], 7);
  EXPECT_EQ(due_.records_not_started(60'000'000), 0U) << "all others were started";
  EXPECT_EQ(ended_, 3U);
  ask(1);  // it comes back
  EXPECT_EQ(ended_, 4U);
}

TEST_F(Connections, GetNothingThatIsOwedWhenTheLoadIsOver) {
  stuck_ = 0;
  start({TargetRate{1000, 1000}, 50'000, 0, 10}, 1);
  loop_.run();
  boost::asio::steady_timer over(loop_, std::chrono::milliseconds(60));
  over.async_wait([this](const boost::system::error_code&) { ask(0); });
  loop_.restart();
  loop_.run();
  EXPECT_EQ(taken_[0], 1);
  EXPECT_EQ(ended_, 1U);
  EXPECT_EQ(due_.records_not_started(60'000), 40U);
  EXPECT_EQ(due_.ages_not_started(60'000).count(), 4U);
  EXPECT_EQ(due_.ages_not_started(60'000).max(), 40'000) << "as old as they were when it ended";
}

TEST_F(Connections, GetNothingMoreOnceItIsStopped) {
  start({TargetRate{10, 10}, 60'000'000, 0, 10}, 2);
  boost::asio::steady_timer stop(loop_, std::chrono::milliseconds(1));
  stop.async_wait([this](const boost::system::error_code&) { due_.stop(); });
  loop_.run();
  EXPECT_EQ(ended_, 2U);
  EXPECT_FALSE(due_.load_is_on());
  ask(0);
  EXPECT_EQ(ended_, 3U);
}

TEST_F(Connections, OfAnUnthrottledPhaseShareItsBound) {
  start({std::nullopt, 60'000'000, 80, 10}, 4);
  loop_.run();
  EXPECT_EQ(order_, "abcdabcd");
  EXPECT_EQ(ended_, 4U);
}

}  // namespace
}  // namespace walstorm::producer
