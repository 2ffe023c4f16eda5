#include "orchestrator/config/json/json_text.h"

#include <gtest/gtest.h>

namespace walstorm::config {
namespace {

TEST(JsonText, KeepsAllKindsOfValues) {
  const ParsedJson parsed = parse_json(R"({"a": [1, -2, 2.5, "x", true, null, {}], "b": {"c": []}})");
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.value, Json::parse(R"({"a": [1, -2, 2.5, "x", true, null, {}], "b": {"c": []}})"));
  EXPECT_TRUE(parsed.given_twice.empty());
}

TEST(JsonText, ReportsEveryKeyThatIsGivenTwiceWithItsPointer) {
  const ParsedJson parsed =
      parse_json(R"({"a": 1, "list": [{}, {"x": 1, "x": 2}], "a": 3, "other": {"x": 1}})");
  EXPECT_EQ(parsed.given_twice, (std::vector{Pointer("/list/1/x"), Pointer("/a")}));
}

TEST(JsonText, NamesLineAndColumnOfBadJson) {
  EXPECT_EQ(parse_json("{\n  \"a\": 1,\n  }").error,
            "line 3, column 3: not JSON: while parsing object key - unexpected '}'; expected string literal");
  EXPECT_EQ(parse_json("").error.substr(0, 17), "line 1, column 1:");
  EXPECT_EQ(parse_json("{\"a\": 1} x").error.substr(0, 18), "line 1, column 10:");
  EXPECT_EQ(parse_json("{\n\"a\": // no\n1}").error.substr(0, 17), "line 2, column 6:");
}

TEST(JsonText, CountsColumnsInCharactersNotBytes) {
  EXPECT_EQ(parse_json("{\"gr\xC3\xB6\xC3\x9F"
                       "e\": ]}")
                .error.substr(0, 18),
            "line 1, column 11:");
}

TEST(JsonText, NeverRepeatsTheTextOfAnErrorForItMayBeASecret) {
  const ParsedJson parsed = parse_json("{\"url\": \"postgres://u:hunter2@h/db\n}");
  EXPECT_NE(parsed.error, "");
  EXPECT_EQ(parsed.error.find("hunter2"), std::string::npos) << parsed.error;
}

TEST(JsonText, RefusesNumbersThatNoDoubleHolds) {
  EXPECT_EQ(parse_json("{\"a\":\n 1e999}").error, "line 2, column 6: a number too large");
  EXPECT_NE(parse_json("{\"a\": NaN}").error, "");
  EXPECT_NE(parse_json("{\"a\": -Infinity}").error, "");
}

TEST(JsonText, ReadsAWholeNumberAsAnIntegerHoweverItIsWritten) {
  EXPECT_TRUE(parse_json("60.0").value.is_number_integer());
  EXPECT_EQ(parse_json("5e3").value.dump(), "5000");
  EXPECT_EQ(parse_json("-5.0").value.dump(), "-5");
  EXPECT_TRUE(parse_json("3.7").value.is_number_float());
  EXPECT_TRUE(parse_json("1e20").value.is_number_float());
}

TEST(JsonText, RefusesNestingThatNoConfigHas) {
  EXPECT_EQ(parse_json(std::string(32, '[') + std::string(32, ']')).error, "");
  EXPECT_EQ(parse_json(std::string(33, '[') + std::string(33, ']')).error, "nested more than 32 levels deep");
  EXPECT_EQ(parse_json(std::string(500'000, '[')).error, "nested more than 32 levels deep");
}

}  // namespace
}  // namespace walstorm::config
