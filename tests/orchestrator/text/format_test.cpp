#include "orchestrator/text/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walstorm::report {
namespace {

using ::testing::ElementsAre;

TEST(Format, GroupsThousands) {
  EXPECT_EQ(text::count_text(std::uint64_t{0}), "0");
  EXPECT_EQ(text::count_text(std::uint64_t{999}), "999");
  EXPECT_EQ(text::count_text(std::uint64_t{1000}), "1,000");
  EXPECT_EQ(text::count_text(std::uint64_t{1'234'567}), "1,234,567");
}

TEST(Format, ShowsADashForWhatWasNotMeasured) {
  for (const std::string& text :
       {text::count_text(std::nullopt), text::rate_text({}), text::ms_text({}), text::sec_text({}),
        text::bytes_text({}), text::percent_text({}), text::micros_text({})}) {
    EXPECT_EQ(text, "–");
  }
}

TEST(Format, PicksTheUnitOfATime) {
  EXPECT_EQ(text::ms_text(0), "0 ms");
  EXPECT_EQ(text::ms_text(0.085), "85 µs");
  EXPECT_EQ(text::ms_text(0.9996), "1.0 ms");
  EXPECT_EQ(text::ms_text(1.234), "1.2 ms");
  EXPECT_EQ(text::ms_text(143.4), "143 ms");
  EXPECT_EQ(text::ms_text(999.7), "1.0 s");
  EXPECT_EQ(text::ms_text(3400), "3.4 s");
  EXPECT_EQ(text::sec_text(0.2), "0.2 s");
  EXPECT_EQ(text::sec_text(60), "60 s");
  EXPECT_EQ(text::sec_text(125), "2 min 5 s");
  EXPECT_EQ(text::sec_text(180), "3 min");
  EXPECT_EQ(text::sec_text(7260), "2 h 1 min");
  EXPECT_EQ(text::sec_text(7200), "2 h");
}

TEST(Format, PicksTheUnitOfASizeAndARate) {
  EXPECT_EQ(text::bytes_text(999), "999 B");
  EXPECT_EQ(text::bytes_text(1200), "1.2 kB");
  EXPECT_EQ(text::bytes_text(999'700), "1.0 MB");
  EXPECT_EQ(text::bytes_text(120'000'000), "120 MB");
  EXPECT_EQ(text::rate_text(5003.2), "5,003/s");
  EXPECT_EQ(text::rate_text(4.5), "4.5/s");
  EXPECT_EQ(text::percent_text(0.9984), "99.8 %");
}

TEST(Format, ShowsTheWiderSideOfAnInterval) {
  EXPECT_EQ(text::spread_text(100, 96, 108), " ±8 %");
  EXPECT_EQ(text::spread_text(-50, -60, -49), " ±20 %");
  EXPECT_EQ(text::spread_text(0, -1, 1), "");
  EXPECT_EQ(text::spread_text(100, {}, 108), "");
}

TEST(Format, WritesTimesInUtcWithMilliseconds) {
  EXPECT_EQ(text::iso_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(text::iso_time(1'769'860'800'123'456), "2026-01-31T12:00:00.123Z");
}

TEST(Format, CountsAndClipsCharactersNotBytes) {
  EXPECT_EQ(text::display_width("85 µs"), 5U);
  EXPECT_EQ(text::clipped("größer", 6), "größer");
  EXPECT_EQ(text::clipped("größere", 6), "größe…");
  EXPECT_EQ(text::clipped("abc", 0), "");
}

TEST(Format, AlignsNamesLeftAndFiguresRight) {
  EXPECT_THAT(text::aligned({{"phase", "p50"}, {"a", "85 µs"}, {"b", "1 s"}}, 2),
              ElementsAre("phase    p50", "a      85 µs", "b        1 s"));
}

TEST(Format, NumbersWithoutAUnitHaveFourDigitsOrAreGrouped) {
  EXPECT_EQ(text::number_text(std::nullopt), "–");
  EXPECT_EQ(text::number_text(0), "0");
  EXPECT_EQ(text::number_text(0.01), "0.01");
  EXPECT_EQ(text::number_text(0.000123456), "0.0001235");
  EXPECT_EQ(text::number_text(35.254), "35.25");
  EXPECT_EQ(text::number_text(999.96), "1,000");
  EXPECT_EQ(text::number_text(-12'345.6), "-12,346");
  EXPECT_EQ(text::number_text(500'000'000), "500,000,000");
  EXPECT_EQ(text::number_text(1e20), "1e+20");
}

TEST(Format, AFigureReadsTheSameOnceItWasWrittenToAFileAndReadBack) {
  // Half a microsecond, as a bucket's middle comes out of a sum, and as metrics.json has it.
  EXPECT_EQ(text::ms_text(0.47249999999999998), text::ms_text(text::rounded(0.47249999999999998)));
  EXPECT_EQ(text::ms_text(0.472499999), text::ms_text(0.4725));
  EXPECT_EQ(text::percent_text(0.94449999999), text::percent_text(0.9445));
  EXPECT_EQ(text::sec_text(0.0244999999), text::sec_text(0.0245));
}

}  // namespace
}  // namespace walstorm::report
