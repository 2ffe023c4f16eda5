#include "proto/wire/backoff.h"

#include <gtest/gtest.h>
#include <set>

namespace walstorm::wire {
namespace {

constexpr Backoff::Limits kLimits{.first_us = 1'000, .max_us = 10'000};

TEST(Backoff, DoublesUpToItsLimitLessAtMostHalf) {
  const std::int64_t expected_us[] = {1'000, 2'000, 4'000, 8'000, 10'000, 10'000};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff(kLimits, seed);
    std::uint64_t failures = 0;
    for (const std::int64_t whole_us : expected_us) {
      const std::int64_t wait_us = backoff.wait_us(++failures);
      EXPECT_GE(wait_us, whole_us / 2) << "seed " << seed;
      EXPECT_LE(wait_us, whole_us) << "seed " << seed;
    }
  }
}

TEST(Backoff, WithoutAFailureThereIsNothingToWaitFor) {
  EXPECT_EQ(Backoff(kLimits, 1).wait_us(0), 0);
}

TEST(Backoff, AMillionFailuresAreAsTen) {
  Backoff backoff(kLimits, 1);
  EXPECT_LE(backoff.wait_us(1'000'000), kLimits.max_us);
  EXPECT_GE(backoff.wait_us(~std::uint64_t{0}), kLimits.max_us / 2);
}

TEST(Backoff, ThoseWhoFailedTogetherDoNotComeBackTogether) {
  Backoff backoff(kLimits, 1);
  std::set<std::int64_t> waits;
  for (int i = 0; i < 100; ++i) waits.insert(backoff.wait_us(5));
  EXPECT_GT(waits.size(), 50U);
}

TEST(Backoff, TheSeedFixesIt) {
  Backoff one(kLimits, 7);
  Backoff same(kLimits, 7);
  Backoff other(kLimits, 8);
  bool differs = false;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t wait_us = one.wait_us(5);
    EXPECT_EQ(same.wait_us(5), wait_us);
    differs = differs || other.wait_us(5) != wait_us;
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace walstorm::wire
