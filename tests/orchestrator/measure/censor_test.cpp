#include "orchestrator/measure/fold/censor.h"

#include <gtest/gtest.h>

namespace walstorm::measure {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

TEST(Censor, GivesEachUnacknowledgedRecordTheAgeItHad) {
  CountCurve produced;
  produced.add({0, 0});
  produced.add({10 * kSecondUs, 10});  // one each second: record n is committed at n seconds
  wire::Histogram lag_us;
  EXPECT_EQ(add_censored(produced, 7, 20 * kSecondUs, lag_us), 3);
  // Records 8, 9 and 10 are 12, 11 and 10 s old.
  EXPECT_EQ(lag_us.count(), 3);
  EXPECT_EQ(lag_us.max(), 12e6);
  EXPECT_EQ(lag_us.min(), 10e6);
  EXPECT_EQ(lag_us.mean(), 11e6);
}

TEST(Censor, SpreadsManyRecordsOverTheSecondTheyWereCommittedIn) {
  CountCurve produced;
  produced.add({0, 0});
  produced.add({kSecondUs, 100'000});
  produced.add({2 * kSecondUs, 200'000});
  wire::Histogram lag_us;
  EXPECT_EQ(add_censored(produced, 150'000, 10 * kSecondUs, lag_us), 50'000);
  EXPECT_EQ(lag_us.count(), 50'000);
  EXPECT_NEAR(*lag_us.mean(), 8.25e6, 5e3);
  EXPECT_NEAR(*lag_us.max(), 8.5e6, 1e4);
  EXPECT_NEAR(*lag_us.min(), 8e6, 1e4);
}

TEST(Censor, AddsNothingWhenAllIsAcknowledged) {
  CountCurve produced;
  produced.add({0, 0});
  produced.add({kSecondUs, 100});
  wire::Histogram lag_us;
  EXPECT_EQ(add_censored(produced, 100, 10 * kSecondUs, lag_us), 0);
  EXPECT_TRUE(lag_us.empty());
}

TEST(Censor, KeepsTheRecordsAlreadyMeasured) {
  CountCurve produced;
  produced.add({0, 0});
  produced.add({kSecondUs, 2});
  wire::Histogram lag_us;
  lag_us.record(5);
  EXPECT_EQ(add_censored(produced, 1, 3 * kSecondUs, lag_us), 1);
  EXPECT_EQ(lag_us.count(), 2);
  EXPECT_EQ(lag_us.min(), 5);
}

TEST(Censor, WhileRecordsWaitGivesThoseThatWaitLongestTheLeastAgeTheyCanHave) {
  CountCurve produced;
  produced.add({0, 0});
  for (int sec = 1; sec <= 10; ++sec) produced.add({sec * kSecondUs, static_cast<std::uint64_t>(sec) * 100});
  wire::Histogram lag_us;
  EXPECT_EQ(add_waiting(produced, 600, 10 * kSecondUs, lag_us), 300);
  EXPECT_EQ(lag_us.max(), 3e6);  // counted at 7 s for the first time, so at least 3 s old
  EXPECT_EQ(lag_us.min(), 1e6);
  EXPECT_EQ(lag_us.count(), 300);
}

TEST(Censor, LeavesOutWaitingRecordsThatAreNoOlderThanThoseThatLanded) {
  CountCurve produced;
  produced.add({0, 0});
  for (int sec = 1; sec <= 10; ++sec) produced.add({sec * kSecondUs, static_cast<std::uint64_t>(sec) * 100});
  wire::Histogram lag_us;
  lag_us.record(2'500'000, 50);
  EXPECT_EQ(add_waiting(produced, 600, 10 * kSecondUs, lag_us), 100);
  EXPECT_EQ(lag_us.count(), 150);
  EXPECT_EQ(add_waiting(produced, 1000, 10 * kSecondUs, lag_us), 0);
}

}  // namespace
}  // namespace walstorm::measure
