#include "orchestrator/measure/ledger/row_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/workload/task_run_table.h"

namespace walstorm::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RowText row(const std::string& id) {
  RowText text(wire::kTaskRunColumns.size(), "x");
  text[0] = id;
  return text;
}

TEST(RowComparison, MatchesWhatIsTheSameInBoth) {
  RowText with_null = row("b");
  with_null[wire::task_run_column("error")].reset();
  const RowTexts rows{{"a", row("a")}, {"b", with_null}};
  const RowComparison found = compare_rows({"a", "b"}, rows, rows, "ClickHouse");
  EXPECT_EQ(found.matching, 2);
  EXPECT_THAT(found.differences, IsEmpty());
}

TEST(RowComparison, NamesTheColumnsInWhichARowDiffersAndNotTheirContents) {
  RowText altered = row("a");
  altered[wire::task_run_column("payload")] = "secret";
  altered[wire::task_run_column("error")].reset();
  const RowComparison found = compare_rows({"a"}, {{"a", row("a")}}, {{"a", altered}}, "ClickHouse");
  EXPECT_EQ(found.matching, 0);
  EXPECT_THAT(found.differences, ElementsAre("row a differs in ClickHouse: payload, error"));
}

TEST(RowComparison, FindsRowsThatStandOnOneSideAlone) {
  const RowTexts both{{"a", row("a")}};
  const RowComparison found = compare_rows({"a", "b", "c"}, {{"a", row("a")}, {"b", row("b")}},
                                           {{"a", row("a")}, {"c", row("c")}}, "ClickHouse");
  EXPECT_EQ(found.matching, 1);
  EXPECT_THAT(found.differences, ElementsAre("row b is not in ClickHouse", "row c is in ClickHouse alone"));
}

TEST(RowComparison, CountsEveryDifferenceAndDescribesAFew) {
  std::vector<std::string> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(std::to_string(i));
  const RowComparison found = compare_rows(ids, {}, {}, "ClickHouse");
  EXPECT_EQ(found.matching, 0);
  EXPECT_THAT(found.differences, SizeIs(10));
}

}  // namespace
}  // namespace walstorm::measure
