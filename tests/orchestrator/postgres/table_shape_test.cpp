#include "orchestrator/postgres/table_shape.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/workload/task_run_table.h"

namespace walstorm::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// walstorm's own table.
TableShape own() {
  TableShape shape;
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns)
    shape.columns.push_back({std::string(column.name), std::string(wire::postgres_type_name(column.type)),
                             !column.nullable, false, false, false});
  return shape;
}

TableColumn& column(TableShape& shape, const std::string& name) {
  return *std::find_if(shape.columns.begin(), shape.columns.end(),
                       [&](const auto& each) { return each.name == name; });
}

/// What is wrong with column `name` when it is of that type.
std::vector<std::string> with_type(const std::string& name, const std::string& type) {
  TableShape shape = own();
  column(shape, name).type = type;
  return shape_problems(shape);
}

/// What is wrong when there is one column more.
std::vector<std::string> with_another(const TableColumn& another) {
  TableShape shape = own();
  shape.columns.push_back(another);
  return shape_problems(shape);
}

TEST(TableShape, OursFitsWithOrWithoutTheHash) {
  TableShape shape = own();
  EXPECT_THAT(shape_problems(shape), IsEmpty());
  std::erase_if(shape.columns, [](const TableColumn& each) { return each.name == "row_hash"; });
  EXPECT_THAT(shape_problems(shape), IsEmpty());
}

TEST(TableShape, TakesTypesThatHoldTheSame) {
  EXPECT_THAT(with_type("queue", "character varying"), IsEmpty());
  EXPECT_THAT(with_type("createdAt", "timestamp with time zone"), IsEmpty());
  EXPECT_THAT(with_type("createdAt", "timestamp(6) with time zone"), IsEmpty());
}

TEST(TableShape, NamesColumnsOfAnotherType) {
  EXPECT_THAT(
      with_type("queue", "character varying(20)"),
      ElementsAre("\"queue\" is character varying(20): must be text or character varying without a limit"));
  EXPECT_THAT(with_type("attempt", "bigint"), ElementsAre("\"attempt\" is bigint: must be integer"));
  EXPECT_THAT(with_type("tags", "character varying[]"),
              ElementsAre("\"tags\" is character varying[]: must be text[]"));
  EXPECT_THAT(with_type("createdAt", "timestamp(2) with time zone").size(), 1U)
      << "milliseconds would be lost";
  EXPECT_THAT(with_type("createdAt", "timestamp(3) without time zone").size(), 1U);
  EXPECT_THAT(with_type("row_hash", "integer"), ElementsAre("\"row_hash\" is integer: must be bigint"));
}

TEST(TableShape, NamesAllThatIsMissingOrCannotBeWritten) {
  TableShape shape = own();
  std::erase_if(shape.columns,
                [](const TableColumn& each) { return each.name == "spanId" || each.name == "isTest"; });
  column(shape, "output").not_null = true;
  column(shape, "status").generated = true;
  EXPECT_THAT(shape_problems(shape),
              ElementsAre("\"status\" is generated: walstorm writes it",
                          "\"output\" is NOT NULL: walstorm writes NULL to it too",
                          "\"spanId\" is missing: text or character varying without a limit",
                          "\"isTest\" is missing: boolean"));
}

TEST(TableShape, ColumnsOfItsOwnMayBeLeftToTheServer) {
  EXPECT_THAT(with_another({"extra", "numeric(10,2)"}), IsEmpty()) << "it stays NULL";
  EXPECT_THAT(with_another({"extra", "character varying(20)", true, true, false}), IsEmpty());
  EXPECT_THAT(with_another({"extra", "integer", true, false, false}),
              ElementsAre("\"extra\" is NOT NULL without a default, and walstorm does not write it"));
}

TEST(TableShape, ColumnsOfItsOwnMayBeOfAnyType) {
  EXPECT_THAT(with_another({"key", "uuid", true, true, false}), IsEmpty());
  EXPECT_THAT(with_another({"search", "tsvector", false, true, true}), IsEmpty());
}

TEST(TableShape, OnlyAnOrdinaryLoggedTableKeyedByIdCanBeReplicated) {
  TableShape shape = own();
  shape.plain = shape.logged = shape.keyed_by_id = false;
  EXPECT_THAT(
      shape_problems(shape),
      ElementsAre("it is no ordinary table, but a view, partitioned or a partition",
                  "it is UNLOGGED: its changes are never replicated", "its primary key is not (\"id\")"));
}

}  // namespace
}  // namespace walstorm::postgres
