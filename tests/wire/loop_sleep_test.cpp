// How long a loop sleeps, in a program that is linked as the workers are.

#include <chrono>
#include <ctime>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "proto/wire/loop_watch.h"

namespace walstorm::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

proto::LoopStats told(const LoopWatch& watch) {
  proto::LoopStats stats;
  watch.fill(stats);
  return stats;
}

void run_for(boost::asio::io_context& loop, milliseconds time) {
  const auto end = steady_clock::now() + time;
  while (steady_clock::now() < end) (void)loop.run_one_until(end);
}

TEST(LoopSleep, OfAnIdleLoopIsNearlyAllOfItsTime) {
  boost::asio::io_context loop(1);
  LoopWatch watch(loop);
  watch.begin_phase();
  run_for(loop, milliseconds(300));
  const proto::LoopStats stats = told(watch);
  ASSERT_TRUE(stats.has_asleep_us());
  EXPECT_LE(stats.asleep_us(), stats.elapsed_us());
  // Half, not nearly all: a busy machine may take the CPU away between two waits.
  EXPECT_GE(stats.asleep_us(), stats.elapsed_us() / 2);
}

TEST(LoopSleep, IsNotWhatAHandlerWorks) {
  boost::asio::io_context loop(1);
  LoopWatch watch(loop);
  watch.begin_phase();
  boost::asio::post(loop, [] {
    const auto end = steady_clock::now() + milliseconds(200);
    while (steady_clock::now() < end) {
    }
  });
  run_for(loop, milliseconds(300));
  const proto::LoopStats stats = told(watch);
  EXPECT_LE(stats.asleep_us() + 200'000, stats.elapsed_us());
}

TEST(LoopSleep, IsWhatAReaderLetsGatherToo) {
  boost::asio::io_context loop(1);
  LoopWatch watch(loop);
  watch.begin_phase();
  const timespec gathering{0, 50'000'000};
  const auto gather = &::nanosleep;  // the call itself is what is tested: nobody waits for anything here
  (void)gather(&gathering, nullptr);
  EXPECT_GE(told(watch).asleep_us(), 50'000U);
}

TEST(LoopSleep, IsNotCountedUnlessSomebodyWatches) {
  const SleepCount before = sleep_count();
  boost::asio::io_context loop(1);
  boost::asio::steady_timer timer(loop, milliseconds(20));
  timer.async_wait([](const boost::system::error_code&) {});
  (void)loop.run();
  EXPECT_EQ(sleep_count().times, before.times);
}

}  // namespace
}  // namespace walstorm::wire
