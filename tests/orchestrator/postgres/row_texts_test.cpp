#include "orchestrator/postgres/row_texts.h"

#include <chrono>
#include <gtest/gtest.h>

#include <pqxx/transaction>

#include "orchestrator/postgres/private_server.h"
#include "proto/workload/task_run_table.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::postgres {
namespace {

using std::chrono::seconds;

class RowTexts : public ::testing::Test {
 protected:
  std::optional<std::string> value(const std::string& id, const std::string& sql_value, std::size_t column) {
    const measure::RowTexts rows =
        session_.ask<measure::RowTexts>("read", seconds(10), 0, [&](pqxx::connection& connection) {
          pqxx::work work(connection);
          work.exec(wire::create_task_run_sql());
          std::string columns, values;
          for (std::size_t i = 0; i < wire::kTaskRunColumns.size(); ++i) {
            const wire::TaskRunColumn& shape = wire::kTaskRunColumns[i];
            columns += (i == 0 ? "\"" : ", \"") + std::string(shape.name) + "\"";
            std::string text = "'0'";
            if (shape.type == wire::ColumnType::text_array) text = "'{}'";
            if (shape.type == wire::ColumnType::timestamptz) text = "'1970-01-01 00:00:00+00'";
            if (i == 0) text = work.quote(id);
            values += (i == 0 ? "" : ", ") + (i == column ? sql_value : text);
          }
          work.exec("INSERT INTO \"TaskRun\" (" + columns + ") VALUES (" + values + ")");
          work.commit();
          measure::RowTexts found = read_row_texts(connection, {id, "another"});
          pqxx::work clear(connection);
          clear.exec("DROP TABLE \"TaskRun\"");
          clear.commit();
          return found;
        });
    EXPECT_EQ(rows.size(), 1U);
    return rows.contains(id) ? rows.at(id).at(column) : std::optional<std::string>("not there");
  }
  std::optional<std::string> value(const std::string& sql_value, std::size_t column) {
    return value("row", sql_value, column);
  }

  tests::TemporaryFolder logs_;
  process::EventLoop loop_;
  PrivateServer server_{loop_, {}, logs_.path() / "postgres.log"};
  Session session_{loop_, server_.address().conninfo("postgres", "test"), "test"};
};

TEST_F(RowTexts, AreWhatEitherServerCanSay) {
  using wire::task_run_column;
  EXPECT_EQ(value(R"(a"b\c,{})", "'x'", task_run_column("queue")), "x");
  EXPECT_EQ(value("'it''s'", task_run_column("payload")), "it's");
  EXPECT_EQ(value("NULL", task_run_column("error")), std::nullopt);
  EXPECT_EQ(value("-2147483648", task_run_column("attempt")), "-2147483648");
  EXPECT_EQ(value("true", task_run_column("isTest")), "1");
  EXPECT_EQ(value("-9223372036854775808", task_run_column("row_hash")), "-9223372036854775808");
  EXPECT_EQ(value("1.0", task_run_column("costInCents")), "4607182418800017408");
  EXPECT_EQ(value("'-0'", task_run_column("costInCents")), "-9223372036854775808");
  EXPECT_EQ(value("'2026-11-21 18:00:00.123+00'", task_run_column("createdAt")), "1795284000123");
  EXPECT_EQ(value("'1969-12-31 23:59:59.999+00'", task_run_column("createdAt")), "-1");
  EXPECT_EQ(value(R"(ARRAY['a,b', '', 'é"', NULL])", task_run_column("tags")), "3:a,b0:3:é\"0:");
  EXPECT_EQ(value("'{}'", task_run_column("tags")), "");
}

}  // namespace
}  // namespace walstorm::postgres
