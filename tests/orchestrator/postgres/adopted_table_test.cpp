// A copied "TaskRun" is made fit for a load, with every version of PostgreSQL.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/own_database.h"
#include "orchestrator/postgres/private_server.h"
#include "orchestrator/postgres/query.h"
#include "orchestrator/postgres/table_shape.h"
#include "proto/workload/task_run_table.h"
#include "tests/support/servers.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::postgres {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr int kInstalled = 0;

class AdoptedTable : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    const auto binaries = GetParam() == kInstalled ? find_postgres_binaries()
                                                   : tests::other_postgres(GetParam(), folder_.path());
    if (!binaries)
      GTEST_SKIP() << "PostgreSQL " << GetParam() << " was not fetched: ./dev test does, where npm is";
    server_ = std::make_unique<PrivateServer>(loop_, std::map<std::string, std::string>{},
                                              folder_.path() / "postgres.log", *binaries);
    connection_ = std::make_unique<pqxx::connection>(server_->address().conninfo("postgres", "test"));
    execute(wire::create_task_run_sql());
  }
  void execute(const std::string& sql) { pqxx::nontransaction(*connection_).exec(sql); }
  int one(const std::string& sql) { return query_row(*connection_, sql)[0].as<int>(); }
  std::vector<std::string> adopt(config::ReplicaIdentity identity = config::ReplicaIdentity::full) {
    return adopt_table(*connection_, "app", identity, "A \"publication\"");
  }
  /// Inserts, updates and deletes a row, as a load does.
  void write_a_row() {
    std::string columns, values;
    for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
      const bool time = column.type == wire::ColumnType::timestamptz;
      const char* const other = column.type == wire::ColumnType::text_array ? "'{}'" : "'1'";
      columns += (columns.empty() ? "\"" : ", \"") + std::string(column.name) + "\"";
      values += (values.empty() ? "" : ", ") + std::string(time ? "now()" : other);
    }
    execute("INSERT INTO \"TaskRun\" (" + columns + ") VALUES (" + values + ")");
    execute("UPDATE \"TaskRun\" SET status = 'done'");
    EXPECT_EQ(one("SELECT count(*) FROM \"TaskRun\" WHERE status = 'done'"), 1);
    execute("DELETE FROM \"TaskRun\"");
  }

  process::EventLoop loop_;
  tests::TemporaryFolder folder_;
  std::unique_ptr<PrivateServer> server_;
  std::unique_ptr<pqxx::connection> connection_;
};
INSTANTIATE_TEST_SUITE_P(Versions, AdoptedTable, testing::Values(kInstalled, 14, 17, 18),
                         [](const auto& version) {
                           return version.param == kInstalled ? "installed" : std::to_string(version.param);
                         });

TEST_P(AdoptedTable, WithStoredGeneratedColumnsTakesUpdates) {
  execute(
      "ALTER TABLE \"TaskRun\" ADD search tsvector GENERATED ALWAYS AS (to_tsvector('simple', payload)) "
      "STORED, "
      "ADD cents bigint GENERATED ALWAYS AS (attempt * 100) STORED");
  EXPECT_THAT(adopt(), Contains(HasSubstr("do not land in the sink: \"search\", \"cents\"")));
  write_a_row();
}

TEST_P(AdoptedTable, WithVirtualColumnsTakesUpdates) {
  if (one("SELECT current_setting('server_version_num')::int") < 180000)
    GTEST_SKIP() << "virtual columns came with PostgreSQL 18";
  execute("ALTER TABLE \"TaskRun\" ADD \"Twice\" int GENERATED ALWAYS AS (attempt * 2) VIRTUAL");
  execute("CREATE VIEW twice AS SELECT \"Twice\" FROM \"TaskRun\"");
  EXPECT_THAT(adopt(), Contains(HasSubstr("virtual columns of the copied \"TaskRun\" were dropped")));
  write_a_row();
  execute("ALTER TABLE \"TaskRun\" ADD \"Twice\" int GENERATED ALWAYS AS (attempt * 2) VIRTUAL");
  EXPECT_THAT(adopt(config::ReplicaIdentity::by_default), Not(Contains(HasSubstr("virtual"))));
  write_a_row();
}

TEST_P(AdoptedTable, HasItsRulesDisabled) {
  execute("CREATE TABLE log (id text)");
  execute("CREATE RULE twice AS ON INSERT TO \"TaskRun\" DO ALSO INSERT INTO log VALUES (new.id)");
  execute("CREATE RULE \"No rows\" AS ON UPDATE TO \"TaskRun\" DO INSTEAD NOTHING");
  EXPECT_THAT(adopt(), Contains("rules of the copied \"TaskRun\" were disabled: \"No rows\", twice"));
  write_a_row();
  EXPECT_EQ(one("SELECT count(*) FROM log"), 0);
}

TEST_P(AdoptedTable, WithTablesThatInheritFromItTakesUpdates) {
  execute("CREATE TABLE special (more int) INHERITS (\"TaskRun\")");  // without a key, so without an identity
  (void)adopt();
  write_a_row();
  EXPECT_EQ(one("SELECT count(*) FROM pg_publication_tables"), 1);
}

TEST_P(AdoptedTable, MayInheritItself) {
  execute("CREATE TABLE base (id text NOT NULL)");
  execute("ALTER TABLE \"TaskRun\" INHERIT base");
  (void)adopt();
  write_a_row();
}

}  // namespace
}  // namespace walstorm::postgres
