#include "producer/pacer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <optional>
#include <set>
#include <vector>

namespace walstorm::producer {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

Schedule constant(double rate, std::int64_t duration_us, std::uint32_t batch_size,
                  std::uint64_t records_max = 0) {
  return Schedule({TargetRate{rate, rate}, duration_us, records_max, batch_size, std::nullopt});
}

Schedule ramp(double from, double to, std::int64_t duration_us, std::uint32_t batch_size) {
  return Schedule({TargetRate{from, to}, duration_us, 0, batch_size, std::nullopt});
}

/// Takes everything of all slots; returns the sum of records and fails when a batch is taken twice.
std::uint64_t take_all(const Schedule& schedule, std::uint32_t slots) {
  std::set<std::uint64_t> taken;
  std::uint64_t records = 0;
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    Pacer pacer(schedule, slot, slots);
    while (const auto batch = pacer.next()) {
      EXPECT_TRUE(taken.insert(batch->number).second) << "batch " << batch->number << " belongs to two slots";
      EXPECT_EQ(batch->number % slots, slot);
      records += batch->records;
      pacer.take();
    }
  }
  return records;
}

TEST(Schedule, SpacesBatchesEvenlyAtAConstantRate) {
  const Schedule schedule = constant(5000, 10 * kSecond, 100);
  EXPECT_EQ(schedule.records_total(), 50'000U);
  EXPECT_EQ(schedule.batches_total(), 500U);
  EXPECT_EQ(schedule.due_us(0), 0);
  EXPECT_EQ(schedule.due_us(1), 20'000);
  EXPECT_EQ(schedule.due_us(499), 9'980'000);
}

TEST(Schedule, DoesNotDriftOverADay) {
  const Schedule schedule = constant(7, 86'400 * kSecond, 1);
  EXPECT_EQ(schedule.records_total(), 604'800U);
  EXPECT_EQ(schedule.due_us(std::uint64_t{7} * 86'399), 86'399 * kSecond);
}

TEST(Schedule, HoldsAShortPhaseOfAnAwkwardRateInOnePartialBatch) {
  const Schedule schedule = constant(7, 3 * kSecond, 100);
  EXPECT_EQ(schedule.records_total(), 21U);
  ASSERT_EQ(schedule.batches_total(), 1U);
  EXPECT_EQ(schedule.records_in(0), 21U);
  EXPECT_EQ(schedule.due_us(0), 0);
}

TEST(Schedule, EndsWithAPartialBatch) {
  const Schedule schedule = constant(1050, kSecond, 100);
  ASSERT_EQ(schedule.batches_total(), 11U);
  EXPECT_EQ(schedule.records_in(9), 100U);
  EXPECT_EQ(schedule.records_in(10), 50U);
}

TEST(Schedule, SolvesARisingRampExactly) {
  // From 0 to 1000/s in 10 s: t seconds reach 50 t^2 records.
  const Schedule schedule = ramp(0, 1000, 10 * kSecond, 50);
  EXPECT_EQ(schedule.records_total(), 5000U);
  EXPECT_EQ(schedule.due_us(0), 0);
  EXPECT_EQ(schedule.due_us(1), kSecond);
  EXPECT_EQ(schedule.due_us(4), 2 * kSecond);
  EXPECT_EQ(schedule.due_us(81), 9 * kSecond);
}

TEST(Schedule, SolvesAFallingRampExactly) {
  // From 1000/s to 0 in 10 s: t seconds reach 1000 t - 50 t^2 records.
  const Schedule schedule = ramp(1000, 0, 10 * kSecond, 50);
  EXPECT_EQ(schedule.records_total(), 5000U);
  EXPECT_EQ(schedule.due_us(19), kSecond);
  EXPECT_EQ(schedule.due_us(99), 9 * kSecond);
}

TEST(Schedule, TreatsARampBetweenNearlyEqualRatesAsConstant) {
  const Schedule flat = constant(5000, 100 * kSecond, 100);
  const Schedule almost = ramp(5000, 5000.000001, 100 * kSecond, 100);
  for (const std::uint64_t batch : {0U, 1U, 2500U, 4999U}) {
    EXPECT_NEAR(static_cast<double>(almost.due_us(batch)), static_cast<double>(flat.due_us(batch)), 1);
  }
}

TEST(Schedule, CountsBatchesDueExactlyAsTheirDueTimesSay) {
  for (const Schedule& schedule :
       {constant(333.3, 7 * kSecond, 7), ramp(0, 999, 7 * kSecond, 3), ramp(999, 1, 7 * kSecond, 11)}) {
    for (std::uint64_t batch = 0; batch < schedule.batches_total(); ++batch) {
      const std::int64_t due = schedule.due_us(batch);
      EXPECT_GE(schedule.batches_due(due), batch + 1);
      EXPECT_LE(schedule.batches_due(due - 1), batch);
    }
    EXPECT_EQ(schedule.batches_due(100 * kSecond), schedule.batches_total());
  }
}

TEST(Schedule, IsOverAtItsDurationThoughTheLastBatchIsDueEarlier) {
  EXPECT_EQ(constant(100, kSecond, 100).end_us(), kSecond);
  EXPECT_EQ(ramp(0, 333, 7 * kSecond, 10).end_us(), 7 * kSecond);
}

TEST(Schedule, IsOverWhenTheTargetReachesTheBoundOnRecords) {
  const Schedule schedule = constant(1000, 60 * kSecond, 100, 5000);
  EXPECT_EQ(schedule.records_total(), 5000U);
  EXPECT_EQ(schedule.end_us(), 5 * kSecond);
  EXPECT_EQ(constant(1000, 2 * kSecond, 100, 5000).records_total(), 2000U);
  EXPECT_EQ(constant(1000, 2 * kSecond, 100, 5000).end_us(), 2 * kSecond);
}

TEST(Schedule, OfAZeroRateIsEmpty) {
  const Schedule schedule = constant(0, kSecond, 100);
  EXPECT_EQ(schedule.batches_total(), 0U);
  EXPECT_FALSE(Pacer(schedule, 0, 1).next());
  EXPECT_EQ(Pacer(schedule, 0, 1).records_not_started(kSecond), 0U);
}

TEST(Pacer, SharesTheTotalExactlyAmongAnyNumberOfSlots) {
  for (const std::uint32_t slots : {1U, 3U, 8U, 64U}) {
    EXPECT_EQ(take_all(constant(20'000, 3 * kSecond, 100), slots), 60'000U);
    EXPECT_EQ(take_all(constant(7, 3 * kSecond, 100), slots), 21U);
    EXPECT_EQ(take_all(ramp(0, 777, 5 * kSecond, 13), slots), 1943U);  // 1942.5
    EXPECT_EQ(take_all(constant(1000, 60 * kSecond, 30, 1001), slots), 1001U);
  }
}

TEST(Pacer, GivesAnUnthrottledPhaseNoDueTimesAndNoEnd) {
  const Schedule schedule({std::nullopt, kSecond, 0, 100});
  EXPECT_FALSE(schedule.paced());
  EXPECT_EQ(schedule.records_total(), std::numeric_limits<std::uint64_t>::max());
  Pacer pacer(schedule, 1, 4);
  for (int i = 0; i < 1000; ++i) {
    const auto batch = pacer.next();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->records, 100U);
    EXPECT_FALSE(batch->due_us);
    pacer.take();
  }
  EXPECT_EQ(pacer.records_not_started(kSecond), 0U);
}

TEST(Pacer, SharesTheBoundOfAnUnthrottledPhase) {
  EXPECT_EQ(take_all(Schedule({std::nullopt, kSecond, 12'345, 100}), 8), 12'345U);
}

TEST(Pacer, CountsOnlyWhatFellDueAsNotStarted) {
  const Schedule schedule = constant(1000, 10 * kSecond, 100);  // a batch every 100 ms
  Pacer pacer(schedule, 1, 2);                                  // at 100, 300, 500 ms ...
  EXPECT_EQ(pacer.records_not_started(99'999), 0U);
  EXPECT_EQ(pacer.records_not_started(100'000), 100U);
  EXPECT_EQ(pacer.records_not_started(550'000), 300U);
  pacer.take();
  EXPECT_EQ(pacer.records_not_started(550'000), 200U);
  EXPECT_EQ(pacer.records_not_started(10 * kSecond), 4900U);
  EXPECT_EQ(pacer.records_not_started(99 * kSecond), 4900U);
}

/// When all batches of a Poisson phase fall due, slot by slot, together in order.
std::vector<double> poisson_arrivals(const Schedule& schedule, std::uint32_t slots) {
  std::vector<double> due;
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    Pacer pacer(schedule, slot, slots);
    double last = 0;
    while (const auto batch = pacer.next()) {
      const auto at = static_cast<double>(batch->due_us.value());
      EXPECT_GE(at, last) << "a slot's batches fall due in their order";
      last = at;
      due.push_back(at);
      pacer.take();
    }
  }
  std::ranges::sort(due);
  return due;
}

Schedule poisson(TargetRate rate, std::int64_t duration_us, std::uint32_t batch_size, std::uint64_t seed,
                 std::uint64_t records_max = 0) {
  return Schedule({rate, duration_us, records_max, batch_size, seed});
}

/// The largest distance between the share of `values` (in ascending order, each 0 to 1) below a number and
/// that number: Kolmogorov's. For n of them it exceeds 1.95 / sqrt(n) once in a thousand.
double distance_from_uniform(const std::vector<double>& values) {
  double distance = 0;
  const auto n = static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    distance = std::max({distance, std::abs(values[i] - static_cast<double>(i) / n),
                         std::abs(values[i] - static_cast<double>(i + 1) / n)});
  }
  return distance;
}

TEST(Poisson, HasExponentialGapsOfTheScheduledMean) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const std::uint32_t slots : {1U, 7U}) {
      const auto due = poisson_arrivals(poisson({1000, 1000}, 200 * kSecond, 10, seed), slots);
      ASSERT_EQ(due.size(), 20'000U);
      constexpr double kMeanGapUs = 10'000;
      double sum = 0;
      double squares = 0;
      std::vector<double> shares;  // of exponential gaps, the distribution function is uniform
      for (std::size_t i = 1; i < due.size(); ++i) {
        const double gap = due[i] - due[i - 1];
        sum += gap;
        squares += gap * gap;
        shares.push_back(1 - std::exp(-gap / kMeanGapUs));
      }
      const auto gaps = static_cast<double>(shares.size());
      const double mean = sum / gaps;
      EXPECT_NEAR(mean, kMeanGapUs, 50) << "seed " << seed << ", " << slots << " slots";
      EXPECT_NEAR((squares / gaps - mean * mean) / (mean * mean), 1, 0.06) << "seed " << seed;
      std::ranges::sort(shares);
      EXPECT_LT(distance_from_uniform(shares), 1.95 / std::sqrt(gaps)) << "seed " << seed;
    }
  }
}

TEST(Poisson, CountsOfAStretchVaryAsMuchAsTheirMean) {
  const auto due = poisson_arrivals(poisson({1000, 1000}, 1000 * kSecond, 10, 5), 4);
  std::vector<double> counts(1000, 0);  // of each second: 100 on average
  for (const double at : due) ++counts[std::min<std::size_t>(999, static_cast<std::size_t>(at / 1e6))];
  double squares = 0;
  for (const double count : counts) squares += (count - 100) * (count - 100);
  EXPECT_NEAR(squares / 1000, 100, 15) << "evenly spaced they would not vary at all";
}

TEST(Poisson, FollowsARamp) {
  // From 0 to 2000/s in 100 s: by t of them (t / 100)^2 of the batches are due.
  const auto due = poisson_arrivals(poisson({0, 2000}, 100 * kSecond, 10, 9), 3);
  ASSERT_EQ(due.size(), 10'000U);
  std::vector<double> shares;
  for (const double at : due) shares.push_back(at / 1e8 * (at / 1e8));
  EXPECT_LT(distance_from_uniform(shares), 1.95 / std::sqrt(10'000.0));
}

TEST(Poisson, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const TargetRate rate{500, 500};
  const auto first = poisson_arrivals(poisson(rate, 10 * kSecond, 10, 1), 4);
  EXPECT_EQ(first, poisson_arrivals(poisson(rate, 10 * kSecond, 10, 1), 4));
  EXPECT_NE(first, poisson_arrivals(poisson(rate, 10 * kSecond, 10, 2), 4));
}

TEST(Poisson, OffersTheTargetExactlyWithinThePhase) {
  for (const std::uint32_t slots : {1U, 3U, 64U}) {
    EXPECT_EQ(take_all(poisson({1050, 1050}, kSecond, 100, 4), slots), 1050U);
    EXPECT_EQ(take_all(poisson({1000, 1000}, 60 * kSecond, 30, 4, 1001), slots), 1001U);
  }
  EXPECT_LE(poisson_arrivals(poisson({1000, 1000}, kSecond, 1, 4), 3).back(), 1e6);
  EXPECT_LE(poisson_arrivals(poisson({1000, 1000}, 60 * kSecond, 1, 4, 2000), 3).back(), 2e6)
      << "a number of records ends the schedule when the target reaches it";
}

TEST(Poisson, CountsOnlyWhatFellDueAsNotStarted) {
  const Schedule schedule = poisson({1050, 1050}, 10 * kSecond, 100, 8);
  Pacer pacer(schedule, 1, 2);
  std::vector<std::int64_t> due;
  for (Pacer ahead = pacer; const auto batch = ahead.next(); ahead.take()) due.push_back(*batch->due_us);
  ASSERT_EQ(due.size(), 52U);
  EXPECT_EQ(pacer.records_not_started(due[0] - 1), 0U);
  EXPECT_EQ(pacer.records_not_started(due[4]), 500U);
  pacer.take();
  EXPECT_EQ(pacer.records_not_started(due[4]), 400U);
  for (int i = 0; i < 6; ++i) pacer.take();
  EXPECT_EQ(pacer.records_not_started(due[4]), 0U) << "batches already taken are not due again";
  EXPECT_EQ(pacer.records_not_started(10 * kSecond), 45 * 100U);
  EXPECT_EQ(Pacer(schedule, 0, 2).records_not_started(10 * kSecond), 53 * 100U);
}

TEST(Poisson, OfASlotWithoutABatchIsEmpty) {
  const Schedule schedule = poisson({10, 10}, kSecond, 10, 8);  // one batch
  EXPECT_TRUE(Pacer(schedule, 0, 2).next());
  EXPECT_FALSE(Pacer(schedule, 1, 2).next());
  EXPECT_EQ(Pacer(schedule, 1, 2).records_not_started(kSecond), 0U);
}

TEST(Pacer, TellsHowLongWhatWasNotStartedHasBeenDue) {
  const Schedule schedule = constant(1000, 10 * kSecond, 100);  // a batch every 100 ms
  Pacer pacer(schedule, 1, 2);                                  // at 100, 300, 500 ms ...
  EXPECT_TRUE(pacer.ages_not_started(99'999).empty());
  const wire::Histogram two = pacer.ages_not_started(350'000);
  EXPECT_EQ(two.count(), 2U);
  EXPECT_EQ(two.min(), 50'000);
  EXPECT_EQ(two.max(), 250'000);
  pacer.take();
  EXPECT_EQ(pacer.ages_not_started(350'000).max(), 50'000);
  // After the end of the load they grow no older.
  const wire::Histogram at_the_end = pacer.ages_not_started(99 * kSecond);
  EXPECT_EQ(at_the_end.count(), 49U);
  EXPECT_EQ(at_the_end.min(), 100'000);
  EXPECT_EQ(at_the_end.max(), 9'700'000);
  EXPECT_TRUE(Pacer(Schedule({std::nullopt, kSecond, 0, 100}), 0, 1).ages_not_started(kSecond).empty());
}

TEST(Pacer, TellsTheAgesOfAnyNumberOfBatchesInFewSteps) {
  for (const auto& seed : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(7)}) {
    const Schedule schedule({TargetRate{100'000, 100'000}, 10 * kSecond, 0, 1, seed});
    Pacer pacer(schedule, 0, 1);
    const wire::Histogram ages = pacer.ages_not_started(10 * kSecond);
    EXPECT_EQ(ages.count(), 1'000'000U);
    for (const double percent : {10.0, 50.0, 90.0, 99.0}) {
      EXPECT_NEAR(ages.percentile(percent).value(), percent / 100 * 10 * kSecond, 0.02 * kSecond * 10)
          << (seed ? "poisson" : "constant");
    }
  }
}

TEST(Poisson, TellsTheAgeOfEachBatchThatWasNotStarted) {
  const Schedule schedule = poisson({1000, 1000}, 10 * kSecond, 100, 8);
  Pacer pacer(schedule, 0, 1);
  std::vector<std::int64_t> due;
  for (Pacer ahead = pacer; const auto batch = ahead.next(); ahead.take()) due.push_back(*batch->due_us);
  for (int i = 0; i < 40; ++i) pacer.take();
  const wire::Histogram ages = pacer.ages_not_started(10 * kSecond);
  EXPECT_EQ(ages.count(), 60U);
  EXPECT_EQ(ages.max(), static_cast<double>(10 * kSecond - due[40]));
  EXPECT_EQ(ages.min(), static_cast<double>(10 * kSecond - due[99]));
}

TEST(Pacer, CountsAPartialLastBatchAsWhatItHolds) {
  const Schedule schedule = constant(1050, kSecond, 100);
  EXPECT_EQ(Pacer(schedule, 0, 1).records_not_started(kSecond), 1050U);
  EXPECT_EQ(Pacer(schedule, 0, 2).records_not_started(kSecond), 550U);
  EXPECT_EQ(Pacer(schedule, 1, 2).records_not_started(kSecond), 500U);
}

}  // namespace
}  // namespace walstorm::producer
