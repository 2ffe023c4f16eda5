#include "proto/wire/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "proto/wire/error.h"

namespace walstorm::wire {
namespace {

Histogram of(const std::vector<std::int64_t>& values) {
  Histogram histogram;
  for (const auto value : values) histogram.record(value);
  return histogram;
}

TEST(Histogram, HasNoFiguresWhileNothingIsRecorded) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_FALSE(histogram.percentile(99).has_value());
  EXPECT_FALSE(histogram.mean().has_value());
  EXPECT_FALSE(histogram.stddev().has_value());
  EXPECT_FALSE(histogram.min().has_value());
  EXPECT_FALSE(histogram.max().has_value());
}

TEST(Histogram, PercentilesAreWithinHalfAPercentOfTheSortedValues) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latencies(8, 2);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 50'000; ++i) {
    values.push_back(static_cast<std::int64_t>(latencies(random)));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {2.5, 50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * 50'000)) - 1;
    const auto exact = static_cast<double>(values[rank]);
    EXPECT_NEAR(*histogram.percentile(percent), exact, exact * 0.005 + 0.5) << percent;
  }
  EXPECT_EQ(*histogram.min(), static_cast<double>(values.front()));
  EXPECT_EQ(*histogram.max(), static_cast<double>(values.back()));
}

TEST(Histogram, MeanAndDeviationAreExact) {
  const Histogram histogram = of({1000, 2000, 3000, 4000});
  EXPECT_DOUBLE_EQ(*histogram.mean(), 2500);
  EXPECT_NEAR(*histogram.stddev(), 1118.034, 0.001);
}

TEST(Histogram, MergedEqualsOneThatSawBothStreams) {
  std::mt19937_64 random(11);
  Histogram one;
  Histogram two;
  Histogram both;
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() % 10'000'000);
    (i % 3 == 0 ? one : two).record(value);
    both.record(value);
  }
  one.merge(two);
  for (const double percent : {0.0, 1.0, 50.0, 95.0, 99.9, 100.0}) {
    EXPECT_EQ(*one.percentile(percent), *both.percentile(percent)) << percent;
  }
  EXPECT_EQ(one.count(), both.count());
  EXPECT_NEAR(*one.stddev(), *both.stddev(), 1e-3);
}

TEST(Histogram, CrossesTheWireUnchanged) {
  const Histogram before = of({0, 1, 255, 256, 257, 100'000, 3'000'000'000});
  proto::Histogram wire;
  before.to_proto(wire);
  const Histogram after = Histogram::from_proto(wire);
  EXPECT_EQ(after.count(), before.count());
  for (int percent = 0; percent <= 100; percent += 5) {
    EXPECT_EQ(*after.percentile(percent), *before.percentile(percent)) << percent;
  }
  EXPECT_EQ(*after.stddev(), *before.stddev());
}

TEST(Histogram, SinceIsWhatCameBetween) {
  Histogram cumulative = of({10, 20, 30});
  const Histogram earlier = cumulative;
  cumulative.record(5000, 2);
  const Histogram between = cumulative.since(earlier);
  EXPECT_EQ(between.count(), 2U);
  EXPECT_NEAR(*between.percentile(50), 5000, 20);
  EXPECT_NEAR(*between.mean(), 5000, 1e-6);
  EXPECT_TRUE(cumulative.since(cumulative).empty());
  EXPECT_THROW((void)earlier.since(cumulative), Error);
}

TEST(Histogram, RecordsNegativeAsZeroAndHugeAsTheLargest) {
  const Histogram histogram = of({-5, INT64_MAX});
  EXPECT_EQ(*histogram.min(), 0);
  EXPECT_EQ(*histogram.max(), static_cast<double>(Histogram::kValueMax));
}

TEST(Histogram, RefusesBucketsThatDoNotAddUp) {
  proto::Histogram wire;
  of({1, 2, 3}).to_proto(wire);
  wire.set_count(4);
  EXPECT_THROW((void)Histogram::from_proto(wire), Error);
  wire.set_count(3);
  wire.set_bucket_index_delta(0, 4'000'000);
  EXPECT_THROW((void)Histogram::from_proto(wire), Error);
}

TEST(Histogram, InFewerBucketsIsTheSameToAFewPercent) {
  Histogram fine;
  for (std::int64_t value = 1; value < 5'000'000; value += value / 50 + 1) fine.record(value);
  const Histogram coarse = fine.coarser();
  EXPECT_EQ(coarse.count(), fine.count());
  EXPECT_EQ(coarse.min(), fine.min());
  EXPECT_EQ(coarse.max(), fine.max());
  for (const double p : {50.0, 90.0, 99.0})
    EXPECT_NEAR(*coarse.percentile(p), *fine.percentile(p), 0.02 * *fine.percentile(p)) << p;
  EXPECT_EQ(Histogram().coarser().count(), 0U);
}

}  // namespace
}  // namespace walstorm::wire
