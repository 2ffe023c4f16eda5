#include "orchestrator/text/or_null.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>

namespace walstorm::text {
namespace {

std::string written(double figure) {
  return or_null(figure).dump();
}

TEST(Figure, IsWrittenWithoutTheTailOfABinaryFraction) {
  EXPECT_EQ(written(0.036000000000000004), "0.036");
  EXPECT_EQ(written(0.1 + 0.2), "0.3");
  EXPECT_EQ(written(1.0 / 3), "0.333333");
  EXPECT_EQ(written(-2.0 / 3), "-0.666667");
  EXPECT_EQ(written(5003.0000000000009), "5003.0");
  EXPECT_EQ(written(0), "0.0");
}

TEST(Figure, KeepsSixDigitsHoweverSmallAndMicrosecondsHoweverLong) {
  EXPECT_EQ(written(0.000123456789), "0.000123457");
  EXPECT_EQ(written(3.21987654e-9), "3.21988e-09");
  EXPECT_EQ(written(12.345678), "12.3457");
  EXPECT_EQ(written(99.99999), "100.0");
  EXPECT_EQ(written(123.4567891), "123.457");
  EXPECT_EQ(written(60'000.0014), "60000.001");
  EXPECT_EQ(written(-1'234'567.8912), "-1234567.891");
}

TEST(Figure, IsTheSameWhenItIsWrittenOnceMore) {
  for (double figure = 1e-9; figure < 1e15; figure *= 3.7) {
    const double once = rounded(figure);
    EXPECT_EQ(rounded(once), once);
    EXPECT_EQ(nlohmann::json::parse(written(figure)).get<double>(), once);
    EXPECT_NEAR(once, figure, figure < 100 ? figure * 5.1e-6 : 0.00051);
  }
}

TEST(Figure, IsNullWhereThereIsNone) {
  EXPECT_TRUE(or_null(std::optional<double>()).is_null());
  EXPECT_TRUE(or_null(std::numeric_limits<double>::infinity()).is_null());
  EXPECT_TRUE(or_null(std::numeric_limits<double>::quiet_NaN()).is_null());
}

TEST(Figure, ThatIsACountStaysWhole) {
  EXPECT_EQ(or_null(std::optional<std::uint64_t>(9'007'199'254'740'993)).dump(), "9007199254740993");
  EXPECT_EQ(or_null(std::optional<std::int64_t>(-123'456'789)).dump(), "-123456789");
}

}  // namespace
}  // namespace walstorm::text
