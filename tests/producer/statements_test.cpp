#include "producer/postgres/statements.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace walstorm::producer {
namespace {

TEST(Statements, NumberParametersRowByRow) {
  const std::string sql = insert_sql(2);
  EXPECT_TRUE(sql.starts_with("INSERT INTO \"TaskRun\" (\"id\", \"friendlyId\", "));
  EXPECT_NE(sql.find("VALUES ($1, $2, "), std::string::npos);
  EXPECT_NE(sql.find("$26), ($27, $28, "), std::string::npos);
  EXPECT_TRUE(sql.ends_with("$52)"));
}

TEST(Statements, UpdateAllButTheKeyAndThePayload) {
  const std::string sql = update_sql(1);
  EXPECT_TRUE(sql.starts_with("UPDATE \"TaskRun\" t SET \"status\" = v.\"status\", "));
  EXPECT_EQ(sql.find("\"id\" = v.\"id\", "), std::string::npos);
  EXPECT_EQ(sql.find("payload"), std::string::npos);
  EXPECT_NE(sql.find("FROM (VALUES ($1, $2, "), std::string::npos);
  EXPECT_TRUE(sql.ends_with("WHERE t.\"id\" = v.\"id\""));
}

TEST(Statements, DeleteAndSelectByAListOfIds) {
  EXPECT_EQ(delete_sql(3), "DELETE FROM \"TaskRun\" WHERE \"id\" IN ($1, $2, $3)");
  EXPECT_TRUE(select_sql(2).ends_with(" FROM \"TaskRun\" WHERE \"id\" IN ($1, $2)"));
}

TEST(Statements, OfUnnestTakeAnArrayForEachColumnAndCastWhatIsAnArrayItself) {
  const std::string insert = insert_unnest_sql();
  EXPECT_NE(insert.find("v.\"tags\"::text[], v.\"traceId\""), std::string::npos) << insert;
  EXPECT_NE(insert.find("FROM unnest($1, $2, "), std::string::npos);
  EXPECT_NE(insert.find("$26) v (\"id\", "), std::string::npos);
  const std::string update = update_unnest_sql();
  EXPECT_TRUE(update.starts_with("UPDATE \"TaskRun\" t SET \"status\" = v.\"status\", ")) << update;
  EXPECT_EQ(update.find("payload"), std::string::npos);
  EXPECT_TRUE(update.ends_with("WHERE t.\"id\" = v.\"id\""));
  EXPECT_EQ(delete_unnest_sql(),
            "DELETE FROM \"TaskRun\" t USING unnest($1) v (\"id\") WHERE t.\"id\" = v.\"id\"");
  EXPECT_EQ(array_types(kAllColumns).size(), kColumnCount);
  EXPECT_EQ(std::ranges::count(array_types(kAllColumns), 0U), 0);
}

TEST(Statements, DeclareATypeForEveryParameter) {
  EXPECT_EQ(parameter_types(kAllColumns, 3).size(), 3 * kColumnCount);
  EXPECT_EQ(std::ranges::count(parameter_types(kUpdateColumns, 5), 0U), 0);
  EXPECT_EQ(parameter_types(kIdColumn, 2), (std::vector<unsigned>{25, 25}));
}

}  // namespace
}  // namespace walstorm::producer
