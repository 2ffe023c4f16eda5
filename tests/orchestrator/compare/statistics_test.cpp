#include "orchestrator/compare/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace walstorm::compare {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

constexpr double kTiny = 1e-9;

TEST(MedianInterval, OfNothingIsNothing) {
  EXPECT_FALSE(median_interval({}).has_value());
}

TEST(MedianInterval, NeedsSixValuesForItsConfidence) {
  const auto five = median_interval({5, 1, 4, 2, 3});
  ASSERT_TRUE(five);
  EXPECT_EQ(five->median, 3);
  EXPECT_EQ(five->low, std::nullopt);
  const auto six = median_interval({6, 5, 1, 4, 2, 3});
  ASSERT_TRUE(six);
  EXPECT_EQ(six->median, 3.5);
  EXPECT_EQ(six->low, 1);
  EXPECT_EQ(six->high, 6);
}

/// Ranks of the table of order statistics: 2 and 9 of 10; 6 and 15 of 20; 18 and 33 of 50 have 95 %.
TEST(MedianInterval, TakesTheRanksThatTheBinomialGives) {
  const auto of = [](int count) {
    std::vector<double> values;
    for (int i = 1; i <= count; ++i) values.push_back(i);
    return *median_interval(values);
  };
  EXPECT_EQ(of(10).low, 2);
  EXPECT_EQ(of(10).high, 9);
  EXPECT_EQ(of(20).low, 6);
  EXPECT_EQ(of(20).high, 15);
  EXPECT_EQ(of(50).low, 18);
  EXPECT_EQ(of(50).high, 33);
}

TEST(MedianInterval, HoldsTheMedianInAsManyCasesAsItSays) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  std::exponential_distribution<double> draw(1);
  int held = 0;
  constexpr int kCases = 4000;
  for (int i = 0; i < kCases; ++i) {
    std::vector<double> values(9);
    for (double& value : values) value = draw(random);
    const auto interval = *median_interval(values);
    if (*interval.low <= std::log(2) && std::log(2) <= *interval.high) ++held;
  }
  // Ranks 2 and 8 of 9 have 96.1 %.
  EXPECT_NEAR(held / static_cast<double>(kCases), 0.961, 0.01) << "seed " << kSeed;
}

TEST(MannWhitney, OfAnEmptySideIsNothing) {
  EXPECT_EQ(mann_whitney_p({}, {1}), std::nullopt);
  EXPECT_EQ(mann_whitney_p({1}, {}), std::nullopt);
}

/// Two of the C(n + m, n) orders are as extreme as complete separation.
TEST(MannWhitney, OfSeparatedSamplesCountsTheOrders) {
  EXPECT_THAT(mann_whitney_p({1, 2, 3}, {4, 5, 6}), Optional(DoubleNear(2.0 / 20, kTiny)));
  EXPECT_THAT(mann_whitney_p({4, 5, 6, 7}, {1, 2, 3}), Optional(DoubleNear(2.0 / 35, kTiny)));
  EXPECT_THAT(mann_whitney_p({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}), Optional(DoubleNear(2.0 / 252, kTiny)));
  EXPECT_NEAR(least_p(3, 3), 2.0 / 20, kTiny);
  EXPECT_NEAR(least_p(1, 1), 1, kTiny);
}

/// U = 3 of 4 and 4 values: the orders with U <= 3 are 1 + 1 + 2 + 3 = 7 of 70.
TEST(MannWhitney, CountsEveryOrderAsExtreme) {
  EXPECT_THAT(mann_whitney_p({1, 2, 3, 7}, {4, 5, 6, 8}), Optional(DoubleNear(14.0 / 70, kTiny)));
}

TEST(MannWhitney, OfEqualSamplesIsOne) {
  EXPECT_THAT(mann_whitney_p({5, 5, 5}, {5, 5, 5}), Optional(DoubleNear(1, kTiny)));
  EXPECT_THAT(mann_whitney_p({1, 2, 3}, {1, 2, 3}), Optional(DoubleNear(1, kTiny)));
  EXPECT_THAT(mann_whitney_p(std::vector<double>(40, 5), std::vector<double>(40, 5)), Optional(1.0));
}

TEST(MannWhitney, IsTheSameForBothSides) {
  const std::vector<double> one{1, 4, 4, 9}, other{2, 4, 7, 7, 8};
  EXPECT_THAT(mann_whitney_p(one, other), Optional(DoubleNear(*mann_whitney_p(other, one), kTiny)));
}

/// On either side of the size at which the count gives way, the same picture must tell the same story.
TEST(MannWhitney, OfManyValuesAgreesWithTheExactCount) {
  const auto shifted = [](int count) {
    std::vector<double> one, other;
    for (int i = 0; i < count; ++i) {
      one.push_back(i);
      other.push_back(i + 0.15 * count + 0.01);
    }
    return *mann_whitney_p(one, other);
  };
  EXPECT_NEAR(shifted(26), (shifted(24) + shifted(25)) / 2, 0.03);
  EXPECT_NEAR(shifted(26), 0.1, 0.1);
}

TEST(MannWhitney, RaisesFewFalseAlarms) {
  constexpr unsigned kSeed = 3;
  std::mt19937 random(kSeed);
  std::normal_distribution<double> draw(100, 5);
  int alarms = 0;
  constexpr int kCases = 2000;
  for (int i = 0; i < kCases; ++i) {
    std::vector<double> one(6), other(6);
    for (double& value : one) value = draw(random);
    for (double& value : other) value = draw(random);
    if (*mann_whitney_p(one, other) < 0.05) ++alarms;
  }
  EXPECT_LE(alarms / static_cast<double>(kCases), 0.06) << "seed " << kSeed;
}

}  // namespace
}  // namespace walstorm::compare
