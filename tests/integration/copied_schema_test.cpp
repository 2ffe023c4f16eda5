// An application beside walstorm on its server: its schema copied, itself left alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "tests/integration/application_schema.h"
#include "tests/support/clickhouse.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class WithAnApplication : public OnAServer {
 protected:
  WithAnApplication() {
    execute("CREATE DATABASE app", "postgres");
    execute(kApplicationSchema);
  }
  void execute(const std::string& sql, const std::string& database = "app") {
    pqxx::connection connection(server_.address().conninfo(database, "test"));
    pqxx::nontransaction(connection).exec(sql);
  }
  [[nodiscard]] json copying(const std::string& source) const {
    return config({phase("p", 1.5, 1000)},
                  {{"database", {{"copySchemaFrom", source}}},
                   {"producer", {{"deleteRatio", 0.1}, {"insertUpdateRatio", 0.7}}}});
  }
};

TEST_F(WithAnApplication, ItsSchemaIsCopiedAndTwoRunsInARowAreClean) {
  for (int i = 0; i < 2; ++i) {
    WalstormRun run(copying("app"));
    expect_clean_run(run);
    const std::string notes = run.metrics()["run"]["notes"].dump();
    EXPECT_THAT(notes, HasSubstr("got a column row_hash"));
    EXPECT_THAT(notes, HasSubstr("attempt_run_fkey"));
    EXPECT_THAT(notes, HasSubstr("triggers of the copied \\\"TaskRun\\\" were disabled: no_rows"));
    const auto copy =
        one("SELECT count(*), min(region), min(priority) FROM \"TaskRun\"", "walstorm_profiling");
    EXPECT_EQ(copy[0].as<std::uint64_t>(), run.metrics()["ledger"]["rows"]["postgres"].get<std::uint64_t>());
    EXPECT_STREQ(copy[1].c_str(), "eu");
    EXPECT_EQ(copy[2].as<int>(), 7);
    EXPECT_EQ(one("SELECT count(*) FROM pg_indexes WHERE indexname = 'by_creation'", "walstorm_profiling")[0]
                  .as<int>(),
              1);
  }
  const auto source = one(
      "SELECT (SELECT count(*) FROM \"TaskRun\"), (SELECT count(*) FROM pg_constraint WHERE contype = 'f'), "
      "(SELECT tgenabled FROM pg_trigger WHERE tgname = 'no_rows'), "
      "(SELECT count(*) FROM pg_attribute WHERE attname = 'row_hash')",
      "app");
  EXPECT_EQ(source[0].as<int>(), 0);
  EXPECT_EQ(source[1].as<int>(), 3) << "nothing of the source is changed";
  EXPECT_STREQ(source[2].c_str(), "O");
  EXPECT_EQ(source[3].as<int>(), 0);
  // The same database, without the copy: walstorm's own table takes its place.
  WalstormRun own(config({phase("p", 1, 1000)}));
  expect_clean_run(own);
}

TEST_F(WithAnApplication, ItsSchemaGoesToAPrivateServerByItsUrl) {
  json config = copying("postgresql://walstorm@/app?host=" + server_.folder().string());
  config["database"]["url"] = "private";
  WalstormRun run(config);
  expect_clean_run(run);
  expect_nothing_left(run);
}

TEST_F(WithAnApplication, AllThatItsTableHasBesidesIsLeftOutAndEveryRowLands) {
  SKIP_WITHOUT_CLICKHOUSE();
  execute("CREATE ROLE tenant", "postgres");
  execute("DROP TRIGGER no_rows ON \"TaskRun\"");
  execute(R"(
    ALTER TABLE "TaskRun" ADD key uuid NOT NULL DEFAULT gen_random_uuid(), ADD "friendly_id" text DEFAULT 'clash',
      ADD search tsvector GENERATED ALWAYS AS (to_tsvector('simple', payload)) STORED,
      ADD serial int GENERATED ALWAYS AS IDENTITY;
    CREATE TABLE log (id text);
    CREATE RULE twice AS ON INSERT TO "TaskRun" DO ALSO INSERT INTO log VALUES (new.id);
    CREATE RULE nought AS ON DELETE TO "TaskRun" DO INSTEAD NOTHING;
    CREATE TABLE special () INHERITS ("TaskRun");
    ALTER TABLE "TaskRun" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON "TaskRun" TO tenant USING (true);
    CREATE FOREIGN DATA WRAPPER far;
    CREATE SERVER there FOREIGN DATA WRAPPER far;
    CREATE USER MAPPING FOR tenant SERVER there OPTIONS (password 'Hunter2');
    CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$;
    CREATE SCHEMA "The App";
    ALTER TABLE "TaskRun" SET SCHEMA "The App";
    ALTER DATABASE app SET search_path = "The App", public;
    CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION stop();
  )");
  const json sink = {{"clickhouse", {{"url", "private"}}}, {"consumer", {{"useMockClickhouse", false}}}};
  for (const bool private_server : {false, true}) {
    json config =
        copying(private_server ? "postgresql://walstorm@/app?host=" + server_.folder().string() : "app");
    if (private_server) config["database"]["url"] = "private";  // which has no role "tenant"
    config.merge_patch(sink);
    WalstormRun check(config, {}, WALSTORM_BINARY, "check");
    EXPECT_EQ(check.finish().code, 0) << check.output();
    WalstormRun run(config);
    expect_clean_run(run);
    const json content = run.metrics()["ledger"]["content"];
    EXPECT_EQ(content["landedMatches"], content["sampled"]);
    const std::string notes = run.metrics()["run"]["notes"].dump();
    EXPECT_THAT(notes, HasSubstr("1 x EVENT TRIGGER, 1 x POLICY, 1 x ROW SECURITY, 1 x USER MAPPING"));
    EXPECT_THAT(notes, HasSubstr("rules of the copied \\\"TaskRun\\\" were disabled: nought, twice"));
    EXPECT_THAT(notes, HasSubstr("do not land in the sink: \\\"metadata\\\", \\\"region\\\""));
    EXPECT_THAT(notes, HasSubstr("the copy has its source's search path: The App, public"));
  }
  const auto copy =
      one("SELECT (SELECT count(*) FROM log), (SELECT count(key) FROM \"The App\".\"TaskRun\"), "
          "(SELECT count(*) FROM special)",
          "walstorm_profiling");
  EXPECT_EQ(copy[0].as<int>(), 0);
  EXPECT_GT(copy[1].as<int>(), 0);
  EXPECT_EQ(copy[2].as<int>(), 0);
}

TEST_F(WithAnApplication, WhatTheServerSaysOfARefusedRowIsShownInFull) {
  execute("DROP TRIGGER no_rows ON \"TaskRun\"; ALTER TABLE \"TaskRun\" ADD CHECK (attempt > 1000)");
  WalstormRun run(copying("app"));
  EXPECT_EQ(run.finish().code, 1) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("TaskRun_attempt_check"));
  EXPECT_THAT(run.output(), HasSubstr("Failing row contains ("));
}

TEST_F(WithAnApplication, ATableOfAnotherShapeIsRefusedColumnByColumn) {
  execute("CREATE DATABASE kept", "postgres");
  execute(
      "ALTER TABLE \"TaskRun\" DROP queue, ALTER attempt TYPE bigint, ALTER priority DROP DEFAULT, "
      "ALTER output SET NOT NULL");
  for (const char* command : {"run", "check"}) {
    WalstormRun run(copying("app"), {}, WALSTORM_BINARY, command);
    EXPECT_EQ(run.finish().code, 3) << run.output();
    EXPECT_THAT(run.output(), HasSubstr("\"queue\" is missing"));
    EXPECT_THAT(run.output(), HasSubstr("\"attempt\" is bigint: must be integer"));
    EXPECT_THAT(run.output(), HasSubstr("\"priority\" is NOT NULL without a default"));
    EXPECT_THAT(run.output(), HasSubstr("\"output\" is NOT NULL: walstorm writes NULL to it too"));
    EXPECT_FALSE(run.run_folder().has_value());
  }
  expect_no_slot();
}

TEST_F(WithAnApplication, ACopyThatFailsIsSeenAndExplained) {
  execute("CREATE ROLE stranger LOGIN REPLICATION CREATEDB", "postgres");
  json dump = copying("app");
  dump["database"]["url"] = "postgresql://stranger@/postgres?host=" + server_.folder().string();
  dump["database"]["profilingDatabase"] = "first";
  WalstormRun refused(dump);
  EXPECT_EQ(refused.finish().code, 3) << refused.output();
  EXPECT_THAT(refused.output(), HasSubstr("pg_dump: exit code 1"));
  EXPECT_THAT(refused.output(), HasSubstr("permission denied for table"));
  // A statement that the target does not take: its template lacks the language that functions are written in.
  execute("CREATE LANGUAGE mine HANDLER plpgsql_call_handler");
  execute("CREATE FUNCTION slow(text) RETURNS text LANGUAGE mine AS $$ BEGIN RETURN $1; END $$");
  execute("CREATE ROLE owner_of_app LOGIN REPLICATION CREATEDB IN ROLE pg_read_all_data", "postgres");
  json restore = copying("app");
  restore["database"]["url"] = "postgresql://owner_of_app@/postgres?host=" + server_.folder().string();
  restore["database"]["profilingDatabase"] = "second";
  WalstormRun broken(restore);
  EXPECT_EQ(broken.finish().code, 3) << broken.output();
  EXPECT_THAT(broken.output(), HasSubstr("psql: exit code 3"));
  EXPECT_THAT(broken.output(), HasSubstr("ERROR:"));
  EXPECT_EQ(one("SELECT count(*) FROM pg_database WHERE datname IN ('first', 'second')")[0].as<int>(), 0)
      << "a copy that fails leaves nothing behind";
  expect_no_slot();
}

TEST_F(WithAnApplication, ItsOwnDatabaseIsNeitherEmptiedNorDropped) {
  json mine = config({phase("p", 1, 1000)}, {{"database", {{"profilingDatabase", "app"}}}});
  for (const char* command : {"run", "clean", "check"}) {
    WalstormRun run(mine, {}, WALSTORM_BINARY, command);
    EXPECT_EQ(run.finish().code, 3) << command << run.output();
    EXPECT_THAT(run.output(), HasSubstr("which walstorm did not make"));
  }
  EXPECT_EQ(one("SELECT count(*) FROM pg_trigger WHERE tgname = 'no_rows'", "app")[0].as<int>(), 1);
}

TEST_F(WithAnApplication, NeighboursOfTheSameNamesAreLeftAlone) {
  execute("ALTER TABLE \"TaskRun\" DISABLE TRIGGER ALL");
  execute(
      "INSERT INTO \"TaskRun\" SELECT 'mine', 'f', 't', 's', 'o', 'p', 'e', 'q', 'precious', 'j', NULL, "
      "NULL, '{}', "
      "'t', 's', NULL, 1, false, 1, 1, 1, now(), now()");
  execute("CREATE PUBLICATION walstorm_publication FOR TABLE organization");
  execute("SELECT pg_create_logical_replication_slot('walstorm_slot', 'pgoutput')");
  WalstormRun taken(config({phase("p", 1, 1000)}));
  EXPECT_EQ(taken.finish().code, 3) << taken.output();
  EXPECT_THAT(taken.output(),
              HasSubstr("\"walstorm_slot\" belongs to database \"app\": choose another name"));
  WalstormRun run(config({phase("p", 1, 1000)}, {{"consumer", {{"slotName", "another_slot"}}}}));
  expect_clean_run(run);
  WalstormRun clean(config({phase("p", 1, 1000)}, {{"consumer", {{"slotName", "another_slot"}}}}), {},
                    WALSTORM_BINARY, "clean");
  EXPECT_EQ(clean.finish().code, 0) << clean.output();
  const auto left =
      one("SELECT (SELECT payload FROM \"TaskRun\"), (SELECT count(*) FROM pg_publication_tables), "
          "(SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'walstorm_slot')",
          "app");
  EXPECT_STREQ(left[0].c_str(), "precious");
  EXPECT_EQ(left[1].as<int>(), 1);
  EXPECT_EQ(left[2].as<int>(), 1);
}

}  // namespace
}  // namespace walstorm::tests
