#include "orchestrator/search/lag_creep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace walstorm::search {
namespace {

using ::testing::Optional;

/// The lag's p50 of each second of a load that is `overload` above what the sink takes; 60 ms of a pipe that
/// keeps up, with noise.
std::vector<double> lags(int seconds, double overload, double noise_ms, std::mt19937& random) {
  std::normal_distribution<double> noise(0, noise_ms);
  std::vector<double> values;
  for (int second = 1; second <= seconds; ++second)
    values.push_back(60 + overload / (1 + overload) * 1000 * second + noise(random));
  return values;
}

TEST(LagCreep, OfAFewSecondsCannotBeTold) {
  EXPECT_FALSE(lag_creep_ms({1, 2, 3, 4, 5, 6, 7}).has_value());
}

TEST(LagCreep, SeesAnOverloadOfAPercentInTwentySeconds) {
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) EXPECT_GT(lag_creep_ms(lags(20, 0.01, 8, random)).value_or(0), 100);
}

TEST(LagCreep, SeesHalfAPercentInFortySeconds) {
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) EXPECT_GT(lag_creep_ms(lags(40, 0.005, 8, random)).value_or(0), 100);
}

TEST(LagCreep, DoesNotSeeOneInNoise) {
  constexpr unsigned kSeed = 3;
  std::mt19937 random(kSeed);
  int seen = 0;
  for (int i = 0; i < 500; ++i) {
    if (lag_creep_ms(lags(20, 0, 15, random)).value_or(0) > 0) ++seen;
  }
  EXPECT_LE(seen, 10) << "seed " << kSeed;
}

TEST(LagCreep, ForgivesAStallThatIsMadeUpFor) {
  std::vector<double> values(40, 60.0);
  for (std::size_t i = 15; i < 25; ++i) values[i] = 900 - 80 * static_cast<double>(i - 15);
  EXPECT_THAT(lag_creep_ms(values), Optional(0.0));
}

}  // namespace
}  // namespace walstorm::search
