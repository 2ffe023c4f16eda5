#include "consumer/batch/block_layout.h"

#include <gtest/gtest.h>
#include <vector>

#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::consumer {
namespace {

BlockLayout layout_of(std::vector<RelationColumn> columns) {
  columns.push_back({true, "id", 25, -1});
  columns.push_back({true, "row_hash", 20, -1});
  Relation relation;
  relation.name = "TaskRun";
  relation.columns = columns;
  return make_block_layout(relation);
}

TEST(BlockLayout, NamesBecomeSnakeCase) {
  EXPECT_EQ(wire::snake_case("friendlyId"), "friendly_id");
  EXPECT_EQ(wire::snake_case("usageDurationMs"), "usage_duration_ms");
  EXPECT_EQ(wire::snake_case("row_hash"), "row_hash");
  EXPECT_EQ(wire::snake_case("parentURL"), "parent_url");
  EXPECT_EQ(wire::snake_case("Id"), "id");
}

TEST(BlockLayout, KnownColumnsAreNullableAsTheTableSaysAndUnknownOnesAlways) {
  const auto layout =
      layout_of({{false, "status", 25, -1}, {false, "error", 25, -1}, {false, "other", 23, -1}});
  EXPECT_EQ(clickhouse_type(layout.columns[0], false), "String");
  EXPECT_EQ(clickhouse_type(layout.columns[1], false), "Nullable(String)");
  EXPECT_EQ(clickhouse_type(layout.columns[2], false), "Nullable(Int32)");
}

TEST(BlockLayout, TimesAreUtcOrPlainMillisecondsWhereTheServerHasNothingBetter) {
  const auto layout = layout_of({{false, "createdAt", 1184, -1}, {false, "startedAt", 1184, -1}});
  EXPECT_EQ(clickhouse_type(layout.columns[0], false), "DateTime64(3, 'UTC')");
  EXPECT_EQ(clickhouse_type(layout.columns[1], false), "Nullable(DateTime64(3, 'UTC'))");
  EXPECT_EQ(clickhouse_type(layout.columns[0], true), "Int64");
  EXPECT_EQ(clickhouse_type(layout.columns[1], true), "Nullable(Int64)");
}

TEST(BlockLayout, ATableWithoutIdOrRowHashIsADataError) {
  const std::vector<RelationColumn> columns{{true, "id", 25, -1}};
  Relation relation;
  relation.columns = columns;
  EXPECT_THROW((void)make_block_layout(relation), wire::Error);
}

TEST(BlockLayout, NamesTheColumnsOfAnInsertQuotedAndInTheBlocksOrder) {
  EXPECT_EQ(column_list(layout_of({{false, "isTest", 16, -1}})),
            "`is_test`, `id`, `row_hash`, `_version`, `_is_deleted`, `_run_id`");
  EXPECT_EQ(column_list(layout_of({{false, "a`b\\c", 25, -1}})),
            R"(`a\`b\\c`, `id`, `row_hash`, `_version`, `_is_deleted`, `_run_id`)");
}

TEST(BlockLayout, ColumnsThatWalstormsTableLacksCanBeLeftOut) {
  Relation relation;
  relation.name = "TaskRun";
  const std::vector<RelationColumn> columns{{false, "search", 3614, -1},
                                            {true, "id", 25, -1},
                                            {false, "metadata", 3802, -1},
                                            {true, "row_hash", 20, -1}};
  relation.columns = columns;
  BlockLayout layout = make_block_layout(relation);
  leave_out_other_columns(relation, layout);
  EXPECT_EQ(column_list(layout), "`id`, `row_hash`, `_version`, `_is_deleted`, `_run_id`");
  EXPECT_EQ(layout.row_hash, 3U) << "the stream still has them";
}

TEST(BlockLayout, TheSortingKeyIsMadeOfThoseColumnsThatTheTableHas) {
  EXPECT_EQ(layout_of({}).sorting_key, std::vector<std::size_t>{0});
  const auto layout = layout_of({{false, "createdAt", 1184, -1},
                                 {false, "status", 25, -1},
                                 {false, "environmentId", 25, -1},
                                 {false, "projectId", 25, -1},
                                 {false, "organizationId", 25, -1}});
  EXPECT_EQ(layout.sorting_key, (std::vector<std::size_t>{4, 3, 2, 0, 5}));
}

}  // namespace
}  // namespace walstorm::consumer
