#include "proto/wire/clock.h"

#include <gtest/gtest.h>

namespace walstorm::wire {
namespace {

TEST(EvenClock, GoesOnAsTheSteadyClockDoesWhenTheWallClockIsSet) {
  ManualClock machine;
  EvenClock even(machine);
  const std::int64_t began_us = even.unix_us();
  EXPECT_EQ(began_us, machine.unix_us());
  machine.advance_us(2'000'000);
  machine.step_us(-3'000'000);
  machine.advance_us(1'000'000);
  EXPECT_EQ(even.unix_us() - began_us, 3'000'000);
  EXPECT_EQ(even.wall_set_by_us(), -3'000'000);
  EXPECT_EQ(even.unix_at(machine.steady_us() - 500'000), even.unix_us() - 500'000);
}

TEST(EvenClock, FollowsTheWallClockWhenTold) {
  ManualClock machine;
  EvenClock even(machine);
  machine.step_us(5'000'000);
  even.follow();
  EXPECT_EQ(even.unix_us(), machine.unix_us());
  EXPECT_EQ(even.wall_set_by_us(), 0);
}

TEST(EvenClock, OfAMachineThatNobodyTouchesWasNotSet) {
  const SystemClock machine;
  const EvenClock even(machine);
  EXPECT_EQ(even.wall_set_by_us(), 0);
}

}  // namespace
}  // namespace walstorm::wire
