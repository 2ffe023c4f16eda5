// Which databases walstorm empties and drops.

#include "orchestrator/postgres/own_database.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "orchestrator/postgres/replication_setup.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"
#include "tests/support/run_fixture.h"

namespace walstorm::postgres {
namespace {

using testing::HasSubstr;

class OwnDatabase : public tests::OnAServer {
 protected:
  void execute(const std::string& sql, const std::string& database) {
    pqxx::connection connection(server_.address().conninfo(database, "test"));
    pqxx::nontransaction(connection).exec(sql);
  }
  /// A database that somebody made by hand.
  void make(const std::string& name) { execute("CREATE DATABASE " + name, "postgres"); }
  /// Why the database is not walstorm's; empty when it is.
  std::string refusal(const std::string& database) {
    pqxx::connection connection(server_.address().conninfo(database, "test"));
    try {
      require_ours(connection);
      return {};
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
      return error.what();
    }
  }
};

TEST_F(OwnDatabase, AnEmptyOneIsFreeAndOneThingOfAnyKindMakesItSomebodys) {
  make("somebodys");
  EXPECT_EQ(refusal("somebodys"), "");
  struct Thing {
    const char *make, *drop, *named;
  };
  const std::vector<Thing> things{
      {"CREATE FUNCTION precious(int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION precious",
       "function precious(integer)"},
      {"CREATE PROCEDURE proc() LANGUAGE sql AS 'SELECT 1'", "DROP PROCEDURE proc", "function proc()"},
      {"CREATE SEQUENCE numbers", "DROP SEQUENCE numbers", "sequence numbers"},
      {"CREATE TYPE mood AS ENUM ('a')", "DROP TYPE mood", "type mood"},
      {"CREATE TYPE pair AS (a int, b int)", "DROP TYPE pair", "type pair"},
      {"CREATE DOMAIN plz AS text CHECK (value <> '')", "DROP DOMAIN plz", "type plz"},
      {"CREATE SCHEMA shop", "DROP SCHEMA shop", "schema shop"},
      {"CREATE VIEW one AS SELECT 1", "DROP VIEW one", "view one"},
      {"CREATE TABLE t (id serial PRIMARY KEY, m text)", "DROP TABLE t", "table t"},
      {"CREATE AGGREGATE longest(text) (sfunc = textcat, stype = text)", "DROP AGGREGATE longest(text)",
       "function longest(text)"},
      {"CREATE COLLATION own FROM \"C\"", "DROP COLLATION own", "collation own"},
      {"CREATE TEXT SEARCH CONFIGURATION mine (COPY = simple)", "DROP TEXT SEARCH CONFIGURATION mine",
       "text search configuration mine"},
      {"CREATE FOREIGN DATA WRAPPER far", "DROP FOREIGN DATA WRAPPER far", "foreign-data wrapper far"},
      {"CREATE PUBLICATION every FOR ALL TABLES", "DROP PUBLICATION every", "publication every"},
      {"CREATE CAST (bigint AS date) WITH INOUT", "DROP CAST (bigint AS date)", "cast from bigint to date"},
      {"SELECT lo_create(7)", "SELECT lo_unlink(7)", "large object 7"},
  };
  for (const Thing& thing : things) {
    execute(thing.make, "somebodys");
    EXPECT_THAT(refusal("somebodys"),
                HasSubstr(fmt::format("holds {}, which walstorm did not make", thing.named)));
    execute(thing.drop, "somebodys");
    EXPECT_EQ(refusal("somebodys"), "") << thing.drop;
  }
}

TEST_F(OwnDatabase, NamesAFewAndSaysHowToGiveItAway) {
  make("\"Somebody's \"\"own\"\"\"");
  const std::string name = "Somebody's \"own\"";
  for (int i = 1; i <= 5; ++i) execute(fmt::format("CREATE SEQUENCE s{}", i), name);
  const std::string why = refusal(name);
  EXPECT_THAT(why, HasSubstr("holds sequence s1, sequence s2, sequence s3 and 2 more, which"));
  const auto advice = why.find("COMMENT ON");
  ASSERT_NE(advice, std::string::npos);
  execute(why.substr(advice), name);
  EXPECT_EQ(refusal(name), "");
}

TEST_F(OwnDatabase, WhatRunsLeaveInOneThatWasMadeForThemIsNoObstacle) {
  make("given");
  for (const char* schema : {"", "jobs"}) {
    pqxx::connection connection(server_.address().with_schema(schema).conninfo("given", "test"));
    prepare_table(connection, config::ReplicaIdentity::full, "a publication", schema);
    EXPECT_EQ(refusal("given"), "");
  }
  execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "given");
  EXPECT_EQ(refusal("given"), "") << "a publication of nothing, and a public schema made again";
  execute("CREATE FUNCTION jobs.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "given");
  EXPECT_THAT(refusal("given"), HasSubstr("holds function jobs.f(), which"));
}

TEST_F(OwnDatabase, ATableOfTheSameNameIsSomebodysUnlessItIsOurs) {
  make("app");
  execute(wire::create_task_run_sql(), "app");
  EXPECT_EQ(refusal("app"), "");
  execute("ALTER TABLE \"TaskRun\" ADD COLUMN mine int", "app");
  EXPECT_THAT(refusal("app"), HasSubstr("holds table \"TaskRun\", which"));
}

TEST_F(OwnDatabase, OneThatWalstormMadeIsItsOwnWhateverIsInIt) {
  pqxx::connection connection(server_.address().conninfo("postgres", "test"));
  create_database(connection, "My DB");
  execute("CREATE SEQUENCE numbers", "My DB");
  EXPECT_EQ(refusal("My DB"), "");
}

TEST_F(OwnDatabase, IsKnownWithoutAnyRightBeyondLoggingIn) {
  make("app");
  execute("CREATE ROLE stranger LOGIN", "postgres");
  execute("CREATE SEQUENCE numbers", "app");
  pqxx::connection connection("host=" + server_.folder().string() + " user=stranger dbname=app");
  try {
    require_ours(connection);
    FAIL() << "did not throw";
  } catch (const wire::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("sequence numbers"));
  }
}

TEST_F(OwnDatabase, CleanAndRunLeaveSomebodysFunctionsAlone) {
  make("walstorm_profiling");
  execute("CREATE FUNCTION precious() RETURNS int LANGUAGE sql AS 'SELECT 42'", "walstorm_profiling");
  for (const char* command : {"clean", "run", "check"}) {
    tests::WalstormRun run(config({tests::phase("p", 1, 1000)}), {}, WALSTORM_BINARY, command);
    EXPECT_EQ(run.finish().code, 3) << command << run.output();
    EXPECT_THAT(run.output(), HasSubstr("holds function precious(), which walstorm did not make"));
  }
  EXPECT_EQ(one("SELECT precious()", "walstorm_profiling")[0].as<int>(), 42);
}

}  // namespace
}  // namespace walstorm::postgres
