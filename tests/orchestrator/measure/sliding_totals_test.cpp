#include "orchestrator/measure/fold/sliding_totals.h"

#include <gtest/gtest.h>

#include "proto/wire/error.h"

namespace walstorm::measure {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

/// 100 records a second, each with a lag of as many milliseconds as there were seconds.
PipeTotals totals_at(int sec) {
  PipeTotals totals;
  totals.at_unix_us = sec * kSecondUs;
  totals.producer.inserts = static_cast<std::uint64_t>(sec) * 100;
  totals.producer.cpu_us = static_cast<std::uint64_t>(sec) * 7;
  totals.consumer.acknowledged = static_cast<std::uint64_t>(sec) * 100;
  for (int i = 1; i <= sec; ++i) totals.consumer.lag_us.record(std::int64_t{i} * 1000, 100);
  return totals;
}

TEST(SlidingTotals, AreThoseOfOneWindowAgo) {
  SlidingTotals sliding(3, 0);
  EXPECT_EQ(sliding.advance(totals_at(1)), nullptr);
  EXPECT_EQ(sliding.advance(totals_at(2)), nullptr);
  for (int sec = 3; sec <= 20; ++sec) {
    const PipeTotals now = totals_at(sec);
    const PipeTotals* start = sliding.advance(now);
    ASSERT_TRUE(start) << sec;
    EXPECT_EQ(start->at_unix_us, (sec - 3) * kSecondUs);
    const PipeTotals window = now.since(*start);
    EXPECT_EQ(window.producer.records(), 300);
    EXPECT_EQ(window.producer.cpu_us, 21);
    EXPECT_EQ(window.consumer.lag_us.count(), 300);
    EXPECT_NEAR(*window.consumer.lag_us.percentile(50), (sec - 1) * 1000, sec * 10);
    EXPECT_NEAR(*window.consumer.lag_us.mean(), (sec - 1) * 1000, 1e-6);
  }
}

TEST(SlidingTotals, TellNothingTwice) {
  SlidingTotals sliding(1, 0);
  EXPECT_TRUE(sliding.advance(totals_at(1)));
  EXPECT_EQ(sliding.advance(totals_at(1)), nullptr);
  EXPECT_TRUE(sliding.advance(totals_at(2)));
}

TEST(SlidingTotals, TakeSamplesThatComeALittleEarlyOrNotAtAll) {
  SlidingTotals sliding(2, 0);
  PipeTotals early = totals_at(2);
  early.at_unix_us -= 200'000;
  EXPECT_TRUE(sliding.advance(early));  // 1.8 s are 2 s, by Samples that jitter
  const PipeTotals* start = sliding.advance(totals_at(7));
  ASSERT_TRUE(start);
  EXPECT_EQ(start->at_unix_us, early.at_unix_us);  // longer than a window: nothing is known of in between
}

TEST(PipeTotals, AddUpToWhatTheyWereTakenApartFrom) {
  const PipeTotals whole = totals_at(9);
  PipeTotals sum = totals_at(4);
  sum.add(whole.since(totals_at(4)));
  EXPECT_EQ(sum.at_unix_us, whole.at_unix_us);
  EXPECT_EQ(sum.producer.records(), 900);
  EXPECT_EQ(sum.producer.cpu_us, 63);
  EXPECT_EQ(sum.consumer.lag_us.count(), 900);
  EXPECT_EQ(sum.consumer.lag_us.percentile(99), whole.consumer.lag_us.percentile(99));
}

TEST(PipeTotals, NeverGoBackwards) {
  EXPECT_THROW((void)totals_at(3).since(totals_at(4)), wire::Error);
}

TEST(PipeTotals, KnowTheCpuOnlyWhereBothEndsAreKnown) {
  PipeTotals now = totals_at(3);
  now.producer.cpu_us.reset();
  EXPECT_EQ(now.since(totals_at(1)).producer.cpu_us, std::nullopt);
  EXPECT_EQ(totals_at(4).since(now).producer.cpu_us, std::nullopt);
}

}  // namespace
}  // namespace walstorm::measure
