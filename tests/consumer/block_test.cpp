#include "consumer/batch/block.h"

#include <bit>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "block_reader.h"
#include "block_rows.h"
#include "consumer/encode/block_form.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::consumer {
namespace {

using namespace std::string_literals;
using namespace test;
using Strings = std::vector<std::string>;

template <typename T>
std::string big_endian(T value) {
  std::string bytes;
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> shift);
  }
  return bytes;
}

std::string float_bytes(double value) {
  return big_endian(std::bit_cast<std::uint64_t>(value));
}

std::string time_bytes(std::int64_t unix_us) {
  return big_endian(unix_us - wire::kPostgresEpochUnixUs);
}

std::string array_bytes(const std::vector<std::optional<std::string>>& elements) {
  std::string bytes = big_endian(std::int32_t{1}) + big_endian(std::int32_t{1}) + big_endian(kText) +
                      big_endian(static_cast<std::int32_t>(elements.size())) + big_endian(std::int32_t{1});
  for (const auto& element : elements) {
    bytes += element ? big_endian(static_cast<std::int32_t>(element->size())) + *element
                     : big_endian(std::int32_t{-1});
  }
  return bytes;
}

wire::ErrorKind error_of(Block& block, const std::vector<Value>& values, std::string* message = nullptr) {
  try {
    block.append({.values = values});
  } catch (const wire::Error& error) {
    if (message != nullptr) *message = error.what();
    return error.kind();
  }
  return wire::ErrorKind::internal;
}

class EveryFormat : public testing::TestWithParam<proto::InsertFormat> {
 protected:
  [[nodiscard]] std::unique_ptr<Block> block(const std::shared_ptr<const BlockLayout>& layout) const {
    auto made = make_block({.format = GetParam(), .run_number = 7});
    made->reset(layout);
    return made;
  }
  [[nodiscard]] test::LandedBlock landed(const Block& block) const {
    return test::read_block(GetParam(), *block.layout(), serialized(block));
  }
  /// How `values` land, one a row, in a column `name` of type `type_oid`.
  [[nodiscard]] Strings landed(std::string_view name, std::uint32_t type_oid,
                               const std::vector<Value>& values) const {
    const auto into = block(layout_of({{false, name, type_oid, -1}}));
    for (const Value& value : values) {
      const std::vector<Value> row{value, text("a"), text("0")};
      into->append({.values = row});
    }
    return landed(*into)[wire::snake_case(name)].values;
  }
};
INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat,
                         testing::Values(proto::INSERT_FORMAT_NATIVE, proto::INSERT_FORMAT_ROW_BINARY,
                                         proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW),
                         [](const auto& format) { return proto::InsertFormat_Name(format.param); });

TEST_P(EveryFormat, LandsStringsAsTheyAre) {
  const Strings strings{"",
                        "plain",
                        "ü€😀",
                        std::string(70'000, 'x'),
                        "\"quotes\" and \\ and / and '",
                        "\b\f\n\r\t\x01\x1f\x7f",
                        "1234567\"",
                        "12345678\\",
                        "NULL",
                        R"({"a": ["b\n"]})"};
  std::vector<Value> values;
  for (const std::string& string : strings) values.push_back(text(string));
  for (const std::string& string : strings) values.push_back(binary(string));
  Strings twice = strings;
  twice.insert(twice.end(), strings.begin(), strings.end());
  EXPECT_EQ(landed("status", kText, values), twice);
  EXPECT_EQ(landed("error", kText, values), twice);  // Nullable
}

TEST_P(EveryFormat, LandsJsonbWithoutItsVersionByte) {
  EXPECT_EQ(landed("doc", kJsonb, {binary("\1{\"a\": 1}"), text("{}")}), (Strings{R"({"a": 1})", "{}"}));
}

TEST_P(EveryFormat, LandsIntegersToTheirLimits) {
  const std::string low = big_endian(std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(landed("attempt", kInt4, {text("-2147483648"), text("2147483647"), binary(low), text("0")}),
            (Strings{"-2147483648", "2147483647", "-2147483648", "0"}));
  const std::string lowest = big_endian(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(
      landed("usageDurationMs", kInt8,
             {text("-9223372036854775808"), text("9223372036854775807"), binary(lowest),
              text("9007199254740993")}),
      (Strings{"-9223372036854775808", "9223372036854775807", "-9223372036854775808", "9007199254740993"}));
  EXPECT_EQ(landed("other", kInt8, {text("-1"), {}, text("1")}), (Strings{"-1", "NULL", "1"}));
}

TEST_P(EveryFormat, LandsDoublesToTheLastBitAndThoseThatAreNoNumbers) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Strings bytes{float_bytes(0.1),
                      float_bytes(5e-324),
                      float_bytes(std::numeric_limits<double>::max()),
                      float_bytes(1e300),
                      float_bytes(-1.2345678901234567e-308),
                      float_bytes(infinity),
                      float_bytes(-infinity),
                      float_bytes(std::numeric_limits<double>::quiet_NaN())};
  const Strings expected{
      "0.1", "5e-324", "1.7976931348623157e+308", "1e+300", "-1.2345678901234567e-308", "inf", "-inf", "nan"};
  std::vector<Value> values;
  for (const std::string& value : bytes) values.push_back(binary(value));
  EXPECT_EQ(landed("costInCents", kFloat8, values), expected);
  EXPECT_EQ(landed("costInCents", kFloat8,
                   {text("0.1"), text("NaN"), text("Infinity"), text("-Infinity"), text("100000")}),
            (Strings{"0.1", "nan", "inf", "-inf", "100000"}));
  EXPECT_EQ(landed("other", kFloat8, {{}, text("NaN")}), (Strings{"NULL", "nan"}));
}

TEST_P(EveryFormat, LandsBooleansAsNumbers) {
  EXPECT_EQ(landed("isTest", kBool, {text("t"), text("f"), binary("\1"), binary("\0"s)}),
            (Strings{"1", "0", "1", "0"}));
  EXPECT_EQ(landed("other", kBool, {{}, text("t")}), (Strings{"NULL", "1"}));
}

TEST_P(EveryFormat, LandsTimesInMillisecondsBefore1970Too) {
  const std::string with_ms = time_bytes(1'769'860'800'123'000);
  const std::string before_1970 = time_bytes(-1'000);
  const std::string in_1900 = time_bytes(-2'208'988'800'000'000);
  EXPECT_EQ(landed("createdAt", kTimestamp,
                   {binary(with_ms), binary(before_1970), binary(in_1900), text("2026-01-31 12:00:00.123+00"),
                    text("1969-12-31 23:59:59.999+00"), text("1970-01-01 00:00:00+00"),
                    text("2299-12-31 23:59:59.999+00")}),
            (Strings{"1769860800123", "-1", "-2208988800000", "1769860800123", "-1", "0", "10413791999999"}));
  EXPECT_EQ(landed("startedAt", kTimestamp, {{}, binary(with_ms)}), (Strings{"NULL", "1769860800123"}));
}

TEST_P(EveryFormat, LandsArraysWithWhateverIsInThem) {
  const std::string mixed = array_bytes({"a", "b,c", std::nullopt, "", "q\"\\'", "ü\n", "NULL", "{}"});
  const std::string none = big_endian(std::int32_t{0}) + big_endian(std::int32_t{0}) + big_endian(kText);
  EXPECT_EQ(
      landed("tags", kTextArray,
             {binary(mixed), binary(none), text("{}"), text(R"({a,"b,c",NULL,"","q\"\\'","NULL"})"), {}}),
      (Strings{"['a','b,c','','','q\"\\'','ü\n','NULL','{}']", "[]", "[]",
               "['a','b,c','','','q\"\\'','NULL']", "[]"}));
  const std::string many = array_bytes(std::vector<std::optional<std::string>>(300, std::string(200, 'e')));
  EXPECT_EQ(landed("tags", kTextArray, {binary(many)})[0].size(), 300U * 203U + 1U);
}

TEST_P(EveryFormat, HasOfEveryRowItsVersionWhetherItIsDeletedAndTheRun) {
  const auto into = make_block({.format = GetParam(), .run_number = ~std::uint64_t{0}});
  into->reset(layout_of({}));
  const std::vector<Value> row{text("a"), text("-1")};
  into->append({.values = row, .version = wire::Lsn{~std::uint64_t{0}}});
  into->append({.values = row, .version = wire::Lsn{1}, .deleted = true});
  auto read = landed(*into);
  EXPECT_EQ(read["row_hash"].values, (Strings{"18446744073709551615", "18446744073709551615"}));
  EXPECT_EQ(read["_version"].values, (Strings{"18446744073709551615", "1"}));
  EXPECT_EQ(read["_is_deleted"].values, (Strings{"0", "1"}));
  EXPECT_EQ(read["_run_id"].values, (Strings{"18446744073709551615", "18446744073709551615"}));
}

TEST_P(EveryFormat, ATombstoneOfTheKeyAloneHasDefaultsInAllElse) {
  const auto into = block(layout_of({{false, "status", kText, -1},
                                     {false, "error", kText, -1},
                                     {false, "tags", kTextArray, -1},
                                     {false, "attempt", kInt4, -1},
                                     {false, "isTest", kBool, -1},
                                     {false, "usageDurationMs", kInt8, -1},
                                     {false, "costInCents", kFloat8, -1},
                                     {false, "createdAt", kTimestamp, -1},
                                     {false, "doc", kJsonb, -1}}));
  std::vector<Value> row(9);
  row.push_back(text("a"));
  row.emplace_back();
  into->append({.values = row, .version = wire::Lsn{5}, .deleted = true, .key_only = true});
  auto read = landed(*into);
  EXPECT_EQ(read["id"].values, Strings{"a"});
  EXPECT_EQ(read["_is_deleted"].values, Strings{"1"});
  for (const char* column :
       {"attempt", "is_test", "usage_duration_ms", "cost_in_cents", "created_at", "row_hash"}) {
    EXPECT_EQ(read[column].values, Strings{"0"}) << column;
  }
  EXPECT_EQ(read["status"].values, Strings{""});
  EXPECT_EQ(read["error"].values, Strings{"NULL"});
  EXPECT_EQ(read["doc"].values, Strings{"NULL"});
  EXPECT_EQ(read["tags"].values, Strings{"[]"});
}

TEST_P(EveryFormat, UnchangedToastLandsAsTheOldValue) {
  const auto into = block(layout_of({{false, "status", kText, -1}}));
  const std::vector<Value> before{text("OLD"), text("a"), text("0")};
  const std::vector<Value> after{{ValueKind::unchanged_toast, {}}, text("a"), text("1")};
  into->append({.values = after, .before = before});
  EXPECT_EQ(landed(*into)["status"].values, Strings{"OLD"});
}

TEST_P(EveryFormat, RefusesWhatCannotLandAndNamesTheColumn) {
  const auto into = block(layout_of({{false, "attempt", kInt4, -1}}));
  std::string message;
  EXPECT_EQ(error_of(*into, {text("five"), text("a"), text("0")}, &message), wire::ErrorKind::data);
  EXPECT_NE(message.find("column attempt (type 23) holds what its type cannot be read from"),
            std::string::npos)
      << message;
  EXPECT_EQ(error_of(*into, {{}, text("a"), text("0")}, &message), wire::ErrorKind::data);
  EXPECT_NE(message.find("is NULL"), std::string::npos) << message;
  EXPECT_EQ(error_of(*into, {{ValueKind::unchanged_toast, {}}, text("a"), text("0")}), wire::ErrorKind::data);
  EXPECT_EQ(error_of(*into, {text("a"), text("0")}), wire::ErrorKind::protocol);
  const auto json = block(layout_of({{false, "doc", kJsonb, -1}}));
  EXPECT_EQ(error_of(*json, {binary("\2{}"), text("a"), text("0")}), wire::ErrorKind::data);
  const auto other = block(layout_of({{false, "mood", 99'999, -1}}));
  EXPECT_EQ(error_of(*other, {binary("calm"), text("a"), text("0")}, &message), wire::ErrorKind::data);
  EXPECT_NE(message.find("consumer.binary"), std::string::npos) << message;
}

TEST_P(EveryFormat, KeepsItsMemoryFromUseToUse) {
  const auto layout = layout_of({});
  const auto into = block(layout);
  const std::string id(100, 'i');
  const std::vector<Value> row{text(id), text("0")};
  for (int i = 0; i < 100; ++i) into->append({.values = row});
  const std::uint64_t capacity = into->capacity_bytes();
  EXPECT_GE(capacity, 100U * 100U);
  EXPECT_GE(into->bytes(), 100U * 100U);
  into->reset(layout);
  EXPECT_EQ(into->rows(), 0U);
  EXPECT_EQ(into->bytes(), 0U);
  for (int i = 0; i < 100; ++i) into->append({.values = row});
  EXPECT_EQ(into->capacity_bytes(), capacity);
  EXPECT_EQ(into->rows(), 100U);
}

TEST_P(EveryFormat, IsTheSameBytesHoweverOftenItIsSerialized) {
  const auto into = block(layout_of({{false, "tags", kTextArray, -1}}));
  const std::vector<Value> row{text("{a}"), text("b"), text("0")};
  into->append({.values = row});
  const std::string once = serialized(*into);
  EXPECT_EQ(serialized(*into), once);
  std::string behind = "x";
  into->serialize(behind);
  EXPECT_EQ(behind, "x" + once);
}

TEST_P(EveryFormat, PassesOverColumnsThatAreLeftOutWhateverTheyHold) {
  BlockLayout wide =
      *layout_of({{false, "first", 99'999, -1}, {false, "status", kText, -1}, {false, "last", kText, -1}});
  wide.columns[0].kind = wide.columns[2].kind = ColumnKind::left_out;
  const auto into = block(std::make_shared<const BlockLayout>(wide));
  const auto narrow = block(layout_of({{false, "status", kText, -1}}));
  for (const Value& extra : {binary("\3unknown"), Value{}, Value{ValueKind::unchanged_toast, {}}}) {
    const std::vector<Value> row{extra, text("ok"), extra, text("a"), text("1")};
    into->append({.values = row});
    const std::vector<Value> without{text("ok"), text("a"), text("1")};
    narrow->append({.values = without});
  }
  EXPECT_EQ(serialized(*into), serialized(*narrow));
}

TEST_P(EveryFormat, TakesRowsOfAnotherShapeAfterAReset) {
  const auto into = block(layout_of({{false, "tags", kTextArray, -1}}));
  const std::vector<Value> first{text("{a,b}"), text("b"), text("0")};
  into->append({.values = first});
  into->reset(layout_of({}));
  const std::vector<Value> second{text("c"), text("1")};
  into->append({.values = second});
  auto read = landed(*into);
  EXPECT_EQ(read.size(), 5U);
  EXPECT_EQ(read["id"].values, Strings{"c"});
}

}  // namespace
}  // namespace walstorm::consumer
