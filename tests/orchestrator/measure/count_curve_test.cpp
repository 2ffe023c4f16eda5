#include "orchestrator/measure/figures/count_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/wire/error.h"

namespace walstorm::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

constexpr std::int64_t kSecondUs = 1'000'000;

CountCurve curve_of(const std::vector<CountPoint>& points) {
  CountCurve curve;
  for (const CountPoint& point : points) curve.add(point);
  return curve;
}

TEST(CountCurve, ReadsBetweenTwoPointsAlongAStraightLine) {
  const CountCurve curve = curve_of({{100, 10}, {200, 30}, {300, 30}});
  EXPECT_THAT(curve.at(150), Optional(20.0));
  EXPECT_THAT(curve.at(200), Optional(30.0));
  EXPECT_THAT(curve.at(50), Optional(10.0)) << "before its start, the start";
  EXPECT_THAT(curve.at(999), Optional(30.0)) << "after its end, the end";
  EXPECT_EQ(CountCurve{}.at(1), std::nullopt);
}

TEST(CountCurve, TellsWhenACountWasFirstReached) {
  const CountCurve curve = curve_of({{100, 10}, {200, 30}, {300, 30}, {400, 40}});
  EXPECT_THAT(curve.time_of(20), Optional(150.0));
  EXPECT_THAT(curve.time_of(30), Optional(200.0));
  EXPECT_THAT(curve.time_of(35), Optional(350.0));
  EXPECT_THAT(curve.time_of(1), Optional(100.0));
  EXPECT_THAT(curve.time_of(99), Optional(400.0));
}

TEST(CountCurve, StaysBoundedAndEvenOverAWeekAndKeepsItsNewestPoint) {
  CountCurve curve;
  constexpr std::int64_t kWeekSec = std::int64_t{7} * 24 * 3600;
  for (std::int64_t second = 0; second <= kWeekSec; ++second) {
    curve.add({second * kSecondUs, static_cast<std::uint64_t>(second) * 5000});
  }
  EXPECT_LE(curve.points().size(), CountCurve::kPointsMax);
  EXPECT_GT(curve.points().size(), CountCurve::kPointsMax / 4);
  EXPECT_EQ(curve.points().back().count, static_cast<std::uint64_t>(kWeekSec) * 5000);
  std::int64_t widest_us = 0;
  for (std::size_t i = 1; i < curve.points().size(); ++i) {
    widest_us = std::max(widest_us, curve.points()[i].at_unix_us - curve.points()[i - 1].at_unix_us);
  }
  EXPECT_LE(widest_us, 4 * kWeekSec * kSecondUs / static_cast<std::int64_t>(CountCurve::kPointsMax));
  EXPECT_NEAR(*curve.at(123'456.5e6), 123'456.5 * 5000, 1);
}

TEST(CountCurve, OnlyRaisesItsLastPointWhenTheClockStepsBack) {
  const CountCurve curve = curve_of({{100, 10}, {90, 20}});
  EXPECT_THAT(curve.points(), ElementsAre(CountPoint{100, 20}));
}

TEST(CountCurve, RefusesACountThatFalls) {
  CountCurve curve = curve_of({{100, 10}});
  EXPECT_THROW(curve.add({200, 9}), wire::Error);
}

TEST(CountCurve, AddsUpWorkersThatWereReadAtDifferentTimes) {
  const CountCurve left = curve_of({{0, 0}, {1000, 100}});
  const CountCurve right = curve_of({{0, 0}, {500, 100}, {1000, 100}});
  const CountCurve sum = sum_of({&left, &right});
  EXPECT_THAT(sum.points(), ElementsAre(CountPoint{0, 0}, CountPoint{500, 150}, CountPoint{1000, 200}));
  const CountCurve nothing;
  EXPECT_TRUE(sum_of({&left, &nothing}).empty()) << "a sum with an unknown part is unknown";
}

TEST(CountCurve, GivesTheRateOfWholeSecondsOnly) {
  const CountCurve curve = curve_of({{0, 0}, {kSecondUs, 100}, {2 * kSecondUs, 300}, {3 * kSecondUs, 300}});
  EXPECT_THAT(rates_within(curve, 0, 2.9e6), ElementsAre(100, 200));
  EXPECT_THAT(rates_within(curve, 0.5e6, 3e6), ElementsAre(150, 100));
}

TEST(RateMeter, DividesByTheTimeBetweenReadingsNotBetweenQuestions) {
  RateMeter meter;
  meter.add({0, 0});
  EXPECT_EQ(meter.close_second(), std::nullopt);
  meter.add({2 * kSecondUs, 300});
  EXPECT_THAT(meter.close_second(), Optional(150.0));
  EXPECT_EQ(meter.close_second(), std::nullopt) << "nothing new is not zero";
  meter.add({3 * kSecondUs, 300});
  EXPECT_THAT(meter.close_second(), Optional(0.0));
}

}  // namespace
}  // namespace walstorm::measure
