#include "orchestrator/clickhouse/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>

#include "orchestrator/clickhouse/task_runs.h"
#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<Migration> kTwo{{1, "first", "aa", ""}, {2, "second", "bb", ""}};

std::string refusal(const AppliedMigrations& applied) {
  try {
    (void)outstanding(kTwo, applied, "db");
    return "was taken";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    return error.what();
  }
}

Features modern() {
  Features features;
  features.datetime64 = features.low_cardinality = features.is_deleted_parameter =
      features.deduplication_window = true;
  return features;
}

/// The columns of a CREATE TABLE statement, a line each: name and type.
TableColumns columns_in(const std::string& sql) {
  static const std::regex line("\n    ([a-z_]+) ([^\n]+?),?(?=\n)");
  TableColumns columns;
  for (auto at = std::sregex_iterator(sql.begin(), sql.end(), line); at != std::sregex_iterator(); ++at)
    columns.emplace_back((*at)[1], (*at)[2]);
  return columns;
}

TEST(Migrations, AreNumberedFromOneWithoutGaps) {
  std::uint32_t number = 0;
  for (const Migration& migration : embedded_migrations()) {
    EXPECT_EQ(migration.number, ++number);
    EXPECT_EQ(migration.checksum.size(), 64U);
    EXPECT_THAT(migration.sql, HasSubstr("{database}." + migration.name));
  }
  EXPECT_EQ(number, 3U);
}

TEST(Migrations, LeaveNoPlaceUnfilled) {
  for (const Migration& migration : embedded_migrations()) {
    for (const Features& features : {Features{}, modern()})
      EXPECT_THAT(rendered(migration, features, "walstorm"), Not(HasSubstr("{")));
  }
}

TEST(Migrations, MakeTheColumnsThatTheConsumerWrites) {
  const Migration& task_runs = embedded_migrations().front();
  const TableColumns of_old = columns_in(rendered(task_runs, Features{}, "walstorm"));
  const TableColumns of_modern = columns_in(rendered(task_runs, modern(), "walstorm"));
  EXPECT_EQ(of_old.size(), 29U);
  EXPECT_EQ(of_modern.size(), 29U);
  EXPECT_THAT(column_problems(of_old), IsEmpty());
  EXPECT_THAT(column_problems(of_modern), IsEmpty());
  EXPECT_TRUE(times_are_int64(of_old));
  EXPECT_FALSE(times_are_int64(of_modern));
}

TEST(Migrations, UseWhatTheServerHas) {
  const Migration& task_runs = embedded_migrations().front();
  const std::string sql = rendered(task_runs, modern(), "wal`storm");
  EXPECT_THAT(sql, HasSubstr("`wal\\`storm`.task_runs"));
  EXPECT_THAT(sql, HasSubstr("status LowCardinality(String)"));
  EXPECT_THAT(sql, HasSubstr("started_at Nullable(DateTime64(3, 'UTC'))"));
  EXPECT_THAT(sql, HasSubstr("ReplacingMergeTree(_version, _is_deleted)"));
  EXPECT_THAT(sql, HasSubstr("SETTINGS non_replicated_deduplication_window = 1000"));
  const std::string old = rendered(task_runs, Features{}, "walstorm");
  EXPECT_THAT(old, HasSubstr("ReplacingMergeTree(_version)"));
  EXPECT_THAT(old, Not(HasSubstr("SETTINGS")));
}

TEST(Migrations, AreCarriedOutOnce) {
  EXPECT_EQ(outstanding(kTwo, {}, "db").size(), 2U);
  const auto left = outstanding(kTwo, {{1, {"first", "aa"}}}, "db");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].number, 2U);
  EXPECT_THAT(outstanding(kTwo, {{1, {"first", "aa"}}, {2, {"second", "bb"}}}, "db"), IsEmpty());
}

TEST(Migrations, RefuseANewerDatabaseAndAnotherHistory) {
  EXPECT_THAT(
      refusal({{1, {"first", "aa"}}, {2, {"second", "bb"}}, {7, {"later", "zz"}}}),
      HasSubstr(
          "is a newer walstorm's: its migration 7 (later) is unknown to this one. Use that walstorm, or"));
  EXPECT_THAT(
      refusal({{1, {"first", "cc"}}}),
      HasSubstr("its migration 1 (first) was another one. Remove its tables with walstorm clean, or"));
}

TEST(ColumnProblems, NameEveryColumnThatIsMissingOrDifferent) {
  TableColumns columns = columns_in(rendered(embedded_migrations().front(), Features{}, "walstorm"));
  columns[0] = {"ident", "String"};
  columns[4].second = "UInt64";
  columns.back().second = "UInt32";
  EXPECT_THAT(column_problems(columns),
              ElementsAre("id is missing", "organization_id is UInt64, not String or LowCardinality(String)",
                          "_run_id is UInt32, not UInt64"));
}

TEST(ColumnProblems, TimesAreAllOfOneKind) {
  TableColumns columns = columns_in(rendered(embedded_migrations().front(), Features{}, "walstorm"));
  columns[22].second = "DateTime64(3)";
  EXPECT_THAT(column_problems(columns), ElementsAre("some times are Int64 and others DateTime64"));
}

}  // namespace
}  // namespace walstorm::clickhouse
