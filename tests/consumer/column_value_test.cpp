#include "consumer/decode/column_value.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace walstorm::consumer {
namespace {

using namespace std::string_literals;

Value text(std::string_view bytes) {
  return {ValueKind::text, bytes};
}
Value binary(std::string_view bytes) {
  return {ValueKind::binary, bytes};
}

std::string big_endian(std::uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

TEST(ColumnValue, IntegersReadTheSameFromBothForms) {
  EXPECT_EQ(read_integer<std::int32_t>(text("-2147483648")), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(read_integer<std::int32_t>(binary("\x80\0\0\0"s)), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(read_integer<std::int64_t>(text("9223372036854775807")),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(read_integer<std::int64_t>(binary(big_endian(~std::uint64_t{0} - 1))), -2);
}

TEST(ColumnValue, IntegersOfAnotherSizeOrWithLeftoversAreRefused) {
  EXPECT_FALSE(read_integer<std::int32_t>(binary(big_endian(1))));
  EXPECT_FALSE(read_integer<std::int64_t>(binary("\0\0\0\1"s)));
  EXPECT_FALSE(read_integer<std::int32_t>(text("2147483648")));
  for (const char* bad : {"", " 1", "1 ", "1.5", "abc", "-"})
    EXPECT_FALSE(read_integer<std::int64_t>(text(bad))) << bad;
}

TEST(ColumnValue, DoublesReadTheSameFromBothForms) {
  EXPECT_EQ(read_double(text("0.1")), 0.1);
  EXPECT_EQ(read_double(binary(big_endian(0x3FB999999999999A))), 0.1);
  EXPECT_EQ(read_double(text("1e+300")), 1e300);
  EXPECT_EQ(read_double(text("-Infinity")), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(read_double(text("NaN")).value()));
  EXPECT_FALSE(read_double(text("0.1x")));
  EXPECT_FALSE(read_double(binary("1234")));
}

TEST(ColumnValue, BooleansReadTheSameFromBothForms) {
  EXPECT_EQ(read_bool(text("t")), true);
  EXPECT_EQ(read_bool(text("f")), false);
  EXPECT_EQ(read_bool(binary("\1")), true);
  EXPECT_EQ(read_bool(binary("\0"s)), false);
  EXPECT_FALSE(read_bool(text("true")));
  EXPECT_FALSE(read_bool(binary("t")));
  EXPECT_FALSE(read_bool(binary("\2")));
}

TEST(ColumnValue, BinaryTimestampsCountFromTheYear2000) {
  EXPECT_EQ(read_timestamp_ms(binary(big_endian(0))), 946'684'800'000);
  EXPECT_EQ(read_timestamp_ms(binary(big_endian(std::uint64_t(1'500)))), 946'684'800'001);
  // Before 2000, and before 1970: rounded towards the past, as the text form is.
  EXPECT_EQ(read_timestamp_ms(binary(big_endian(static_cast<std::uint64_t>(-1)))), 946'684'799'999);
  EXPECT_EQ(read_timestamp_ms(binary(big_endian(static_cast<std::uint64_t>(-946'684'800'000'001)))), -1);
  EXPECT_EQ(read_timestamp_ms(binary(big_endian(static_cast<std::uint64_t>(-946'684'801'000'000)))), -1000);
}

TEST(ColumnValue, TextTimestampsTakeTheirZoneIntoAccount) {
  EXPECT_EQ(read_timestamp_ms(text("1970-01-01 00:00:00+00")), 0);
  EXPECT_EQ(read_timestamp_ms(text("2026-01-31 12:00:00.123+00")), 1'769'860'800'123);
  EXPECT_EQ(read_timestamp_ms(text("2026-01-31 17:30:00.123+05:30")), 1'769'860'800'123);
  EXPECT_EQ(read_timestamp_ms(text("2026-01-31 09:00:00.1-03")), 1'769'860'800'100);
  EXPECT_EQ(read_timestamp_ms(text("1969-12-31 23:59:59.999+00")), -1);
  EXPECT_EQ(read_timestamp_ms(text("1969-12-31 23:59:59.9999+00")), -1);
  EXPECT_EQ(read_timestamp_ms(text("1890-01-01 00:00:00+05:53:28")), -2'524'542'808'000);
  EXPECT_EQ(read_timestamp_ms(text("0001-01-01 00:00:00+00 BC")), -62'167'219'200'000);
}

TEST(ColumnValue, WhatIsNoMomentIsRefused) {
  for (const char* bad :
       {"infinity", "-infinity", "", "2026-02-30 00:00:00+00", "2026-01-31 12:00:00",
        "2026-01-31T12:00:00+00", "31.01.2026 12:00:00+00", "2026-01-31 12:00:00.+00",
        "2026-01-31 12:00:00.1234567+00", "2026-01-31 12:00:00+00 AD", "99999-01-01 00:00:00+00"}) {
    EXPECT_FALSE(read_timestamp_ms(text(bad))) << bad;
  }
  EXPECT_FALSE(read_timestamp_ms(binary(big_endian(0x7FFFFFFFFFFFFFFF))));
  EXPECT_FALSE(read_timestamp_ms(binary(big_endian(0x8000000000000000))));
  EXPECT_FALSE(read_timestamp_ms(binary("1234")));
}

/// The elements as text; "-" for NULL.
std::vector<std::string> elements_of(const Value& value) {
  std::vector<std::optional<std::string_view>> elements;
  std::string unescaped;
  if (!read_text_array(value, elements, unescaped)) return {"not an array"};
  std::vector<std::string> read;
  for (const auto& element : elements) read.emplace_back(element.value_or("-"));
  return read;
}

using Strings = std::vector<std::string>;

TEST(ColumnValue, TextArraysAreUnquoted) {
  EXPECT_EQ(elements_of(text("{}")), Strings());
  EXPECT_EQ(elements_of(text("{a,\"b c\",NULL}")), (Strings{"a", "b c", "-"}));
  EXPECT_EQ(elements_of(text(R"({"NULL","q\"\\",""})")), (Strings{"NULL", "q\"\\", ""}));
  EXPECT_EQ(elements_of(text(R"({"a,b","{c}",d})")), (Strings{"a,b", "{c}", "d"}));
  EXPECT_EQ(elements_of(text("[2:3]={a,b}")), (Strings{"a", "b"}));
}

TEST(ColumnValue, WhatIsNoArrayOfOneDimensionIsRefused) {
  for (const char* bad : {"", "a", "{", "}", "{a", "a}", "{{a},{b}}", "{\"a}", "{\"a\"b}", "{a,}", "{,a}",
                          "{\"a\\}", "[1:2]"}) {
    EXPECT_EQ(elements_of(text(bad)), Strings{"not an array"}) << bad;
  }
}

TEST(ColumnValue, BinaryArraysAreCheckedAgainstTheirLength) {
  const std::string empty = "\0\0\0\0\0\0\0\0\0\0\0\x19"s;
  EXPECT_EQ(elements_of(binary(empty)), Strings());
  const std::string two = "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\1a\xff\xff\xff\xff"s;
  EXPECT_EQ(elements_of(binary(two)), (Strings{"a", "-"}));
  EXPECT_EQ(elements_of(binary(two + "x")), Strings{"not an array"});
  for (std::size_t size = 0; size < two.size(); ++size) {
    EXPECT_EQ(elements_of(binary(std::string_view(two).substr(0, size))), Strings{"not an array"}) << size;
  }
}

}  // namespace
}  // namespace walstorm::consumer
