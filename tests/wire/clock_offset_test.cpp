#include "proto/wire/clock_offset.h"

#include <gtest/gtest.h>
#include <random>

namespace walstorm::wire {
namespace {

constexpr std::int64_t kNowUs = 1'700'000'000'000'000;

/// A round trip at `at_us` of the other clock, of which ours is `ahead_us` ahead.
ClockRoundTrip trip(std::int64_t at_us, std::int64_t ahead_us, std::int64_t there_us, std::int64_t back_us) {
  return {kNowUs + at_us + ahead_us, kNowUs + at_us + there_us,
          kNowUs + at_us + ahead_us + there_us + back_us};
}

TEST(ClockOffset, IsExactWhereBothWaysTakeAsLong) {
  const auto offset = estimate_clock_offset({trip(0, 90'000'000, 100, 100)});
  ASSERT_TRUE(offset);
  EXPECT_EQ(offset->ahead_us, 90'000'000);
  EXPECT_EQ(offset->error_us, 101) << "half the round trip, and the microsecond that is cut off";
}

TEST(ClockOffset, TrustsTheFastestRoundTripAlone) {
  const auto offset = estimate_clock_offset(
      {trip(0, -5000, 40'000, 100), trip(50'000, -5000, 80, 120), trip(60'000, -5000, 100, 90'000)});
  ASSERT_TRUE(offset);
  EXPECT_EQ(offset->ahead_us, -4980);
  EXPECT_EQ(offset->error_us, 101);
}

TEST(ClockOffset, HoldsTheTruthHoweverUnevenTheWaysAre) {
  std::mt19937_64 random(20'240'131);
  std::uniform_int_distribution<std::int64_t> delay_us(1, 30'000);
  for (const std::int64_t ahead_us : {-90'000'000L, -700L, 0L, 3L, 90'000'000L}) {
    for (int run = 0; run < 200; ++run) {
      std::vector<ClockRoundTrip> trips;
      for (int i = 0; i < kClockRoundTrips; ++i) {
        // The way back is a hundred times as slow as the way there.
        trips.push_back(trip(std::int64_t{i} * 100'000, ahead_us, delay_us(random) / 100, delay_us(random)));
      }
      const auto offset = estimate_clock_offset(trips);
      ASSERT_TRUE(offset);
      EXPECT_LE(std::abs(offset->ahead_us - ahead_us), offset->error_us);
    }
  }
}

TEST(ClockOffset, WithinItsErrorCountsAsNone) {
  EXPECT_EQ((ClockOffset{100, 100}).known_us(), 0);
  EXPECT_EQ((ClockOffset{-100, 100}).known_us(), 0);
  EXPECT_EQ((ClockOffset{101, 100}).known_us(), 101);
  EXPECT_EQ((ClockOffset{-101, 100}).known_us(), -101);
}

TEST(ClockOffset, IsUnknownWithoutARoundTripThatMakesSense) {
  EXPECT_EQ(estimate_clock_offset({}), std::nullopt);
  const ClockRoundTrip set_back{kNowUs, kNowUs, kNowUs - 1'000'000};
  EXPECT_EQ(estimate_clock_offset({set_back}), std::nullopt);
  const auto offset = estimate_clock_offset({set_back, trip(0, 0, 50, 50)});
  ASSERT_TRUE(offset);
  EXPECT_EQ(offset->ahead_us, 0);
}

TEST(ClockOffset, OfTwoProcessesAddsUpTheirErrors) {
  EXPECT_EQ(difference({-50'000, 10'000}, {-49'000, 9000}), (ClockOffset{-1000, 19'000}));
  EXPECT_EQ(difference({-50'000, 10'000}, {-49'000, 9000}).known_us(), 0)
      << "two processes of one host, both far from a third";
}

TEST(ClockOffset, CrossesTheWire) {
  proto::ClockOffset frame;
  to_proto({-90'000'000, 42}, frame);
  EXPECT_EQ(from_proto(frame), (ClockOffset{-90'000'000, 42}));
}

}  // namespace
}  // namespace walstorm::wire
