#include <gtest/gtest.h>

#include "orchestrator/clickhouse/session.h"

namespace walstorm::clickhouse {
namespace {

using namespace std::string_literals;

TEST(TabSeparated, GivesBackEveryByteAndTellsNullFromText) {
  const Rows rows = parse_tab_separated("a\\tb\\n\\\\N\t\\N\t\\0\\b\\f\\r\\'\n\t\té\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0], (Rows::value_type{"a\tb\n\\N", std::nullopt, "\0\b\f\r'"s}));
  EXPECT_EQ(rows[1], (Rows::value_type{"", "", "é"}));
}

TEST(TabSeparated, OfNothingHasNoRowsAndOfAnEmptyTextHasOne) {
  EXPECT_EQ(parse_tab_separated(""), Rows{});
  EXPECT_EQ(parse_tab_separated("\n"), (Rows{{""}}));
}

TEST(Quoting, LeavesNoWayOut) {
  EXPECT_EQ(quoted_name("a`b\\"), "`a\\`b\\\\`");
  EXPECT_EQ(quoted_text("it's \\"), "'it\\'s \\\\'");
}

}  // namespace
}  // namespace walstorm::clickhouse
