// Servers on which no run can be carried out: check finds it, the run says the same sentence before anything
// is made, and both end with 3.

#include <csignal>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "tests/support/pooler.h"
#include "tests/support/restartable_server.h"
#include "tests/support/run_fixture.h"
#include "tests/support/servers.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json load_on(const std::string& url) {
  return config_with({phase("p", 1, 100)}, {{"database", {{"url", url}}}});
}

std::string url_as(const std::string& role, const postgres::PrivateServer& server,
                   const std::string& database = "postgres") {
  return "postgresql://" + role + "@/" + database + "?host=" + server.folder().string();
}

/// Each in its own transaction, as CREATE DATABASE wants it.
void execute(const std::string& url, const std::vector<std::string>& statements) {
  pqxx::connection connection(url);
  pqxx::nontransaction transaction(connection);
  for (const std::string& each : statements) transaction.exec(each);
}

int count(const std::string& url, const std::string& what) {
  pqxx::connection connection(url);
  return postgres::query_row(connection, "SELECT count(*) FROM " + what)[0].as<int>();
}

void expect_refused(const json& config, const std::string& says, const std::string& todo) {
  WalstormRun check(config, {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 3) << check.output();
  EXPECT_THAT(check.output(), HasSubstr(says));
  EXPECT_THAT(check.output(), HasSubstr("-> " + todo));
  EXPECT_THAT(check.output(), HasSubstr("not ready: 1 problem,"));
  WalstormRun run(config);
  EXPECT_EQ(run.finish().code, 3) << run.output();
  EXPECT_THAT(run.output(), HasSubstr(says));
  EXPECT_THAT(run.output(), HasSubstr(": " + todo));
  EXPECT_FALSE(run.run_folder().has_value());
}

constexpr const char* kProfilingDatabase = "pg_database WHERE datname = 'walstorm_profiling'";
constexpr const char* kLocks = "pg_locks WHERE locktype = 'advisory'";

class BehindAPooler : public OnAServer, public testing::WithParamInterface<const char*> {};

TEST_P(BehindAPooler, NothingIsMadeOrLocked) {
  const auto program = find_pgbouncer();
  if (!program) GTEST_SKIP() << "PgBouncer is not installed: ./dev test does that";
  const Pooler pooler(loop_, *program, GetParam(), server_.folder());
  for (const std::string more : {"", "&schema=jobs&pgbouncer=true"}) {
    for (const char* command : {"check", "run", "clean"}) {
      WalstormRun walstorm(load_on(pooler.url() + more), {}, WALSTORM_BINARY, command);
      EXPECT_EQ(walstorm.finish().code, 3) << walstorm.output();
      EXPECT_THAT(walstorm.output(), HasSubstr("leads through a connection pooler")) << command << more;
      EXPECT_THAT(walstorm.output(), HasSubstr("name PostgreSQL itself")) << command << more;
      EXPECT_FALSE(walstorm.run_folder().has_value());
    }
  }
  EXPECT_EQ(count(url_of(server_), kLocks), 0);
  EXPECT_EQ(count(url_of(server_), kProfilingDatabase), 0);
}

INSTANTIATE_TEST_SUITE_P(PgBouncer, BehindAPooler, testing::Values("session", "transaction", "statement"),
                         [](const auto& mode) { return std::string(mode.param); });

/// A server with a role for what is tried: "load", which may replicate and create databases.
class ForARole : public OnAServer {
 protected:
  ForARole() { as_admin({"CREATE ROLE load LOGIN REPLICATION CREATEDB"}); }

  void as_admin(const std::vector<std::string>& statements) { execute(url_of(server_), statements); }
  [[nodiscard]] json config_of_role() const { return load_on(url_as("load", server_)); }
  void expect_nothing_made() { EXPECT_EQ(count(url_of(server_), kProfilingDatabase), 0); }
};

TEST_F(ForARole, ReadOnlyTransactionsAreFound) {
  const std::string says = "read-only: default_transaction_read_only is on for \"load\"";
  as_admin({"ALTER ROLE load SET default_transaction_read_only = on"});
  expect_refused(config_of_role(), says, "ALTER ROLE \"load\" SET default_transaction_read_only = off");
  expect_nothing_made();
  as_admin({"ALTER ROLE load RESET ALL", "CREATE DATABASE walstorm_profiling OWNER load",
            "ALTER DATABASE walstorm_profiling SET default_transaction_read_only = on"});
  expect_refused(config_of_role(), says, "ALTER ROLE");
}

TEST_F(ForARole, ASearchPathWithoutASchemaIsFound) {
  for (const char* path : {"''", "elsewhere, \"Public\"", "pg_catalog, public"}) {
    as_admin({std::string("ALTER ROLE load SET search_path = ") + path});
    expect_refused(config_of_role(), "there is none to make a table in: search_path of \"load\" is",
                   "add schema=public to the URL");
    expect_nothing_made();
  }
  as_admin({"CREATE DATABASE walstorm_profiling OWNER load"});
  expect_refused(config_of_role(), "there is none to make a table in", "add schema=public to the URL");
}

TEST_F(ForARole, ASchemaOfAnyNameIsMadeAndUsed) {
  as_admin({"ALTER ROLE load SET search_path = ''"});
  WalstormRun run(load_on(url_as("load", server_) + "&schema=my%20%22jo%5Cbs%22%27"));
  expect_clean_run(run);
  EXPECT_EQ(count(url_as("walstorm", server_, "walstorm_profiling"),
                  R"(pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $$my "jo\bs"'$$ )"
                  "AND relname = 'TaskRun'"),
            1);
}

TEST_F(ForARole, ConnectionLimitsAreFound) {
  as_admin({"ALTER ROLE load CONNECTION LIMIT 6"});
  expect_refused(config_of_role(), "role's limit", "lower producer.connections, or ALTER ROLE \"load\"");
  expect_nothing_made();
  as_admin({"ALTER ROLE load CONNECTION LIMIT -1",
            "CREATE DATABASE walstorm_profiling OWNER load CONNECTION LIMIT 6"});
  expect_refused(config_of_role(), "database's limit", "lower producer.connections, or ALTER DATABASE");
}

TEST_F(ForARole, ADatabaseThatTakesNoConnectionsIsFound) {
  as_admin({"CREATE DATABASE walstorm_profiling OWNER load ALLOW_CONNECTIONS false"});
  expect_refused(config_of_role(), "\"load\" is not let into \"walstorm_profiling\": ",
                 "ALTER DATABASE \"walstorm_profiling\" ALLOW_CONNECTIONS true");
}

TEST_F(ForARole, ADatabaseThatARunMadeAndCouldNotPrepareGoesAgain) {
  as_admin({"CREATE DATABASE app OWNER load"});
  json config = config_of_role();
  config["database"]["copySchemaFrom"] = "app";  // which has no "TaskRun"
  WalstormRun run(config);
  EXPECT_NE(run.finish().code, 0) << run.output();
  expect_nothing_made();
}

TEST(Service, ThatIsNotThereIsFound) {
  for (const char* command : {"check", "run"}) {
    WalstormRun walstorm(load_on("postgresql:///postgres?service=nosuch"), {}, WALSTORM_BINARY, command);
    EXPECT_EQ(walstorm.finish().code, 3) << walstorm.output();
    EXPECT_THAT(walstorm.output(), HasSubstr("\"nosuch\" not found: write it into ~/.pg_service.conf"));
  }
}

TEST(HbaForOneDatabase, IsFoundAndTheNewDatabaseNotMade) {
  process::EventLoop loop;
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  std::ofstream(folder.path() / "hba.conf") << "local all walstorm trust\nlocal app one trust\n";
  const postgres::PrivateServer server(loop, {{"hba_file", (folder.path() / "hba.conf").string()}},
                                       folder.path() / "postgres.log");
  const std::string admin = url_as("walstorm", server);
  execute(admin, {"CREATE ROLE one LOGIN REPLICATION CREATEDB", "CREATE DATABASE app OWNER one"});
  expect_refused(load_on(url_as("one", server, "app")), "\"one\" is not let into \"walstorm_profiling\": ",
                 "let \"one\" into the database \"walstorm_profiling\" by pg_hba.conf");
  EXPECT_EQ(count(admin, kProfilingDatabase), 0);
  WalstormRun elsewhere(load_on(url_as("one", server)));
  EXPECT_EQ(elsewhere.finish().code, 3);
  EXPECT_THAT(elsewhere.output(), HasSubstr("name in the URL a database that it may enter"));
}

TEST(Standby, IsFound) {
  process::EventLoop loop;
  RestartableServer server(loop);
  server.stop(SIGINT);
  std::ofstream(server.socket_folder() / "data" / "standby.signal") << "";
  server.start();
  server.wait_until_ready();
  expect_refused(load_on(server.url()), "is a standby, which takes no writes", "name its primary");
}

TEST(ReservedConnections, AreCountedAsPostgres16Does) {
  process::EventLoop loop;
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  const auto binaries = other_postgres(16, folder.path());
  if (!binaries) GTEST_SKIP() << "PostgreSQL 16 was not fetched: ./dev test does, where npm is";
  // 15 - 3 - 5 are 7 for everybody; the writers and walstorm's own are 8.
  const postgres::PrivateServer server(
      loop,
      {{"max_connections", "15"}, {"superuser_reserved_connections", "3"}, {"reserved_connections", "5"}},
      folder.path() / "postgres.log", *binaries);
  execute(url_as("walstorm", server), {"CREATE ROLE load LOGIN REPLICATION CREATEDB"});
  const json config = load_on(url_as("load", server));
  expect_refused(config, "0 of 7 in use, 8 needed", "lower producer.connections, or raise max_connections");
  execute(url_as("walstorm", server), {"GRANT pg_use_reserved_connections TO load"});
  WalstormRun run(config);
  expect_clean_run(run);
}

}  // namespace
}  // namespace walstorm::tests
