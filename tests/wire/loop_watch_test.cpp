#include "proto/wire/loop_watch.h"

#include <chrono>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

namespace walstorm::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(Beats, OnTimeAreRecordedOnce) {
  Histogram delay_us;
  EXPECT_EQ(record_beats(delay_us, 10'000, 10'000, 10'000), 20'000);
  EXPECT_EQ(delay_us.count(), 1U);
  EXPECT_EQ(delay_us.max(), 0);
}

/// A loop that stood still for 95 ms made everything wait that came within them, not one thing.
TEST(Beats, ThatWereMissedCountEachWithItsOwnDelay) {
  Histogram delay_us;
  EXPECT_EQ(record_beats(delay_us, 10'000, 105'000, 10'000), 110'000);
  EXPECT_EQ(delay_us.count(), 10U);
  EXPECT_EQ(delay_us.max(), 95'000);
  EXPECT_EQ(delay_us.min(), 5'000);
}

proto::LoopStats told(const LoopWatch& watch) {
  proto::LoopStats stats;
  watch.fill(stats);
  return stats;
}

TEST(LoopWatch, TellsHowLateALoopIsThatIsHeldUp) {
  boost::asio::io_context loop(1);
  LoopWatch watch(loop);
  watch.begin_phase();
  const auto held_up_until = steady_clock::now() + milliseconds(120);
  boost::asio::post(loop, [&] {
    while (steady_clock::now() < held_up_until) {
    }
  });
  const auto deadline = steady_clock::now() + std::chrono::seconds(20);
  while (told(watch).delay_us().count() < 11 && steady_clock::now() < deadline)
    (void)loop.run_one_for(milliseconds(100));
  const proto::LoopStats stats = told(watch);
  EXPECT_GE(stats.delay_us().count(), 11U);
  EXPECT_GE(stats.delay_us().max(), 105'000U);
  EXPECT_GE(stats.elapsed_us(), 120'000U);
}

TEST(LoopWatch, BeginsAnewWithEachPhaseAndEndsWithIt) {
  boost::asio::io_context loop(1);
  LoopWatch watch(loop);
  watch.begin_phase();
  const auto deadline = steady_clock::now() + std::chrono::seconds(20);
  while (told(watch).delay_us().count() < 2 && steady_clock::now() < deadline)
    (void)loop.run_one_for(milliseconds(100));
  watch.end_phase();
  loop.restart();
  (void)loop.run();  // returns: nothing is awaited any more
  watch.begin_phase();
  EXPECT_EQ(told(watch).delay_us().count(), 0U);
}

/// This program is not linked with what counts it: a time that nobody measured is not 0.
TEST(LoopWatch, DoesNotTellOfASleepThatNobodySees) {
  boost::asio::io_context loop(1);
  LoopWatch watch(loop);
  watch.begin_phase();
  (void)loop.run_one_for(milliseconds(50));
  EXPECT_FALSE(told(watch).has_asleep_us());
}

}  // namespace
}  // namespace walstorm::wire
