#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {
namespace {

using ::testing::Optional;

TEST(Distribution, IsUnmeasuredWithoutValuesRatherThanZero) {
  for (const Distribution& d :
       {distribution_of(wire::Histogram{}, 1), distribution_of(std::vector<double>{})}) {
    EXPECT_EQ(d.count, 0);
    EXPECT_EQ(d.mean, std::nullopt);
    EXPECT_EQ(d.p50, std::nullopt);
    EXPECT_EQ(d.p99, std::nullopt);
    EXPECT_EQ(d.max, std::nullopt);
  }
}

TEST(Distribution, ScalesEveryFigureOfAHistogram) {
  wire::Histogram histogram;
  for (std::int64_t us = 1; us <= 200; ++us) histogram.record(us);
  const Distribution d = distribution_of(histogram, 0.001);
  EXPECT_EQ(d.count, 200);
  EXPECT_THAT(d.min, Optional(0.001));
  EXPECT_THAT(d.p50, Optional(0.1));
  EXPECT_THAT(d.max, Optional(0.2));
  EXPECT_NEAR(*d.mean, 0.1005, 1e-9);
  EXPECT_NEAR(*d.stddev, 0.0577343, 1e-6);
}

TEST(Distribution, TakesNearestRanksOfExactValues) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  const Distribution d = distribution_of(values);
  EXPECT_THAT(d.min, Optional(1.0));
  EXPECT_THAT(d.p2_5, Optional(3.0));
  EXPECT_THAT(d.p50, Optional(50.0));
  EXPECT_THAT(d.p97_5, Optional(98.0));
  EXPECT_THAT(d.p99, Optional(99.0));
  EXPECT_THAT(d.p999, Optional(100.0));
  EXPECT_THAT(d.mean, Optional(50.5));
}

}  // namespace
}  // namespace walstorm::measure
