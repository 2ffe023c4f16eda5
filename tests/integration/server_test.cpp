// Servers as people have them: other versions, TLS, passwords, schemas of their own, neighbours that must be
// left alone.

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "tests/integration/run_fixture.h"
#include "tests/support/servers.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

/// Server and URL of one that listens on TCP loopback alone, as a server elsewhere does.
std::map<std::string, std::string> on_tcp(unsigned port) {
  return {{"listen_addresses", "127.0.0.1"}, {"port", std::to_string(port)}};
}

json load_with_deletes(const std::string& url, double seconds) {
  return config_with(
      {phase("p", seconds, 1000)},
      {{"database", {{"url", url}}}, {"producer", {{"deleteRatio", 0.1}, {"insertUpdateRatio", 0.7}}}});
}

void expect_clean_run(WalstormRun& run) {
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  ASSERT_TRUE(metrics.is_object());
  expect_clean_changes(metrics["ledger"]["changes"]);
  EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
  EXPECT_EQ(metrics["ledger"]["content"]["postgresMatches"], metrics["ledger"]["content"]["sampled"]);
}

class OtherVersion : public testing::TestWithParam<int> {
 protected:
  process::EventLoop loop_;
  TemporaryFolder folder_;
};

TEST_P(OtherVersion, GivesACleanLedgerOverTcpAndKeepsNoSlot) {
  const auto binaries = other_postgres(GetParam(), folder_.path());
  if (!binaries)
    GTEST_SKIP() << "PostgreSQL " << GetParam() << " was not fetched: ./dev test does, where npm is";
  const unsigned port = free_port();
  const postgres::PrivateServer server(loop_, on_tcp(port), folder_.path() / "postgres.log", *binaries);
  const std::string url = "postgresql://walstorm@127.0.0.1:" + std::to_string(port) + "/postgres";
  WalstormRun check(load_with_deletes(url, 3), {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 0) << check.output();
  EXPECT_THAT(check.output(), HasSubstr("ok       version "));
  EXPECT_EQ(check.output().find("idle_replication_slot_timeout") != std::string::npos, GetParam() >= 18)
      << check.output();
  WalstormRun run(load_with_deletes(url, 3));
  expect_clean_run(run);
  EXPECT_THAT(run.metrics()["environment"]["postgresVersion"].get<std::string>(),
              testing::StartsWith(std::to_string(GetParam()) + "."));
  pqxx::connection connection(url);
  pqxx::nontransaction transaction(connection);
  EXPECT_EQ(postgres::query_row(transaction, "SELECT count(*) FROM pg_replication_slots")[0].as<int>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Postgres, OtherVersion, testing::Values(14, 16, 17, 18),
                         [](const auto& version) { return std::to_string(version.param); });

/// A server whose certificate is signed by itself, for localhost.
class WithTls : public testing::Test {
 protected:
  WithTls() {
    for (const char* name : {"server", "other"}) {
      const std::string base = (folder_.path() / name).string();
      run_program(
          "openssl req -new -x509 -days 2 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost "
          "-keyout " +
          base + ".key -out " + base + ".crt");
    }
    give_to_server(folder_.path() / "server.key");
    auto settings = on_tcp(port_);
    settings["ssl"] = "on";
    settings["ssl_cert_file"] = (folder_.path() / "server.crt").string();
    settings["ssl_key_file"] = (folder_.path() / "server.key").string();
    server_ = std::make_unique<postgres::PrivateServer>(loop_, settings, folder_.path() / "postgres.log");
  }

  [[nodiscard]] std::string url(const std::string& parameters) const {
    return "postgresql://walstorm@localhost:" + std::to_string(port_) + "/postgres?" + parameters;
  }
  [[nodiscard]] std::string verified_by(const std::string& certificate) const {
    return url("sslmode=verify-full&sslrootcert=" + (folder_.path() / certificate).string());
  }

  process::EventLoop loop_;
  TemporaryFolder folder_;
  const unsigned port_ = free_port();
  std::unique_ptr<postgres::PrivateServer> server_;
};

TEST_F(WithTls, EveryConnectionIsEncryptedTheWalsendersToo) {
  WalstormRun run(load_with_deletes(url("sslmode=require"), 4));
  pqxx::connection connection(url("sslmode=disable") + "&application_name=test");
  pqxx::nontransaction transaction(connection);
  const auto count = [&](const std::string& condition) {
    return postgres::query_row(transaction,
                               "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) "
                               "WHERE a.application_name LIKE 'walstorm%' AND " +
                                   condition)[0]
        .as<int>();
  };
  run.wait_until([&] { return count("a.backend_type = 'walsender'") == 1 && count("s.ssl") >= 5; });
  EXPECT_EQ(count("a.backend_type = 'walsender' AND s.ssl"), 1);
  EXPECT_EQ(count("NOT s.ssl"), 0);
  expect_clean_run(run);
}

TEST_F(WithTls, TheServersCertificateIsVerifiedAsTheUrlAsks) {
  WalstormRun right(load_with_deletes(verified_by("server.crt"), 1));
  expect_clean_run(right);
  WalstormRun wrong(load_with_deletes(verified_by("other.crt"), 1));
  EXPECT_EQ(wrong.finish().code, 3) << wrong.output();
  EXPECT_THAT(wrong.output(), HasSubstr("certificate verify failed"));
  EXPECT_FALSE(wrong.run_folder().has_value());
  WalstormRun check(load_with_deletes(verified_by("other.crt"), 1), {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 3) << check.output();
  EXPECT_THAT(check.output(), HasSubstr("certificate verify failed"));
}

/// A "TaskRun" such as an application has: more columns, keys to other tables, a trigger that would stop each
/// insert.
constexpr const char* kApplicationSchema = R"(
CREATE TABLE organization (id text PRIMARY KEY);
CREATE TABLE "TaskRun" (
  id text PRIMARY KEY, "friendlyId" varchar NOT NULL UNIQUE, "taskIdentifier" text NOT NULL, status text NOT NULL,
  "organizationId" text NOT NULL REFERENCES organization(id), "projectId" text NOT NULL, "environmentId" text,
  queue text NOT NULL, payload text NOT NULL, "payloadType" text NOT NULL, output text, error text,
  tags text[] NOT NULL, "traceId" text NOT NULL, "spanId" text NOT NULL, "parentRunId" text REFERENCES "TaskRun"(id),
  attempt integer NOT NULL, "isTest" boolean NOT NULL, "usageDurationMs" bigint NOT NULL,
  "costInCents" float8 NOT NULL, "baseCostInCents" float8 NOT NULL, "createdAt" timestamptz(3) NOT NULL,
  "updatedAt" timestamptz NOT NULL, "startedAt" timestamptz, "completedAt" timestamptz,
  metadata jsonb, region varchar(20) DEFAULT 'eu', priority integer NOT NULL DEFAULT 7, bonus numeric);
CREATE TABLE attempt (id text, run text REFERENCES "TaskRun"(id) ON DELETE CASCADE);
CREATE INDEX by_creation ON "TaskRun"("createdAt");
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
CREATE TRIGGER no_rows BEFORE INSERT ON "TaskRun" FOR EACH ROW EXECUTE FUNCTION refuse();
)";

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
  WalstormRun broken(restore);
  EXPECT_EQ(broken.finish().code, 3) << broken.output();
  EXPECT_THAT(broken.output(), HasSubstr("psql: exit code 3"));
  EXPECT_THAT(broken.output(), HasSubstr("ERROR:"));
  EXPECT_EQ(one("SELECT count(*) FROM pg_class WHERE relname IN ('organization', 'TaskRun')",
                "walstorm_profiling")[0]
                .as<int>(),
            0)
      << "a restore that fails leaves nothing behind";
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

TEST_F(OnAServer, ADatabaseThatIsNotKeptIsDroppedAfterTheRun) {
  WalstormRun run(config({phase("p", 1, 1000)}, {{"database", {{"keep", false}}}}));
  expect_clean_run(run);
  EXPECT_EQ(one("SELECT count(*) FROM pg_database WHERE datname = 'walstorm_profiling'")[0].as<int>(), 0);
  expect_no_slot();
}

TEST_F(OnAServer, CheckShowsAllThatIsNotReadyAtOnceAndChangesNothing) {
  postgres::PrivateServer poor(loop_, {{"wal_level", "replica"}, {"max_connections", "8"}},
                               logs_.path() / "poor.log");
  json unready = config({phase("p", 1, 1000)},
                        {{"database", {{"url", url_of(poor)}}}, {"producer", {{"connections", 20}}}});
  WalstormRun check(unready, {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 3);
  EXPECT_THAT(check.output(), HasSubstr("PROBLEM  wal_level"));
  EXPECT_THAT(check.output(), HasSubstr("PROBLEM  connections"));
  EXPECT_THAT(check.output(), HasSubstr("not ready: 2 problems"));
  pqxx::connection connection(url_of(poor));
  pqxx::nontransaction transaction(connection);
  EXPECT_EQ(postgres::query_row(transaction,
                                "SELECT count(*) FROM pg_database WHERE datname = 'walstorm_profiling'")[0]
                .as<int>(),
            0);
}

TEST(Check, StartsAPrivateServerAndRemovesIt) {
  WalstormRun check(config_with({phase("p", 1, 1000)}), {}, WALSTORM_BINARY, "check");
  EXPECT_EQ(check.finish().code, 0) << check.output();
  EXPECT_THAT(check.output(), HasSubstr("ok       server"));
  EXPECT_THAT(check.output(), HasSubstr("ready: a run can start"));
  expect_nothing_left(check);
}

/// A server that asks for a password, and a password that every syntax on the way gives a meaning to.
class WithPasswords : public testing::Test {
 protected:
  static constexpr const char* kPassword = R"(p@ss:w/rd 'q' \b "%&#?)";
  static constexpr const char* kInUrl = "p%40ss%3Aw%2Frd%20%27q%27%20%5Cb%20%22%25%26%23%3F";

  WithPasswords() {
    std::ofstream(folder_.path() / "hba.conf")
        << "local all walstorm trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    auto settings = on_tcp(port_);
    settings["hba_file"] = (folder_.path() / "hba.conf").string();
    server_ = std::make_unique<postgres::PrivateServer>(loop_, settings, folder_.path() / "postgres.log");
    pqxx::connection connection(server_->address().conninfo("postgres", "test") +
                                " port=" + std::to_string(port_));
    pqxx::nontransaction transaction(connection);
    transaction.exec("CREATE ROLE \"l oad\" LOGIN REPLICATION CREATEDB PASSWORD " +
                     transaction.quote(kPassword));
  }
  ~WithPasswords() override {
    ::unsetenv("PGPASSWORD");
    ::unsetenv("PGPASSFILE");
  }

  [[nodiscard]] json config(const std::string& password, const std::string& database = "postgres") const {
    return config_with({phase("p", 1, 1000)}, {{"database", {{"url", url(password, database)}}}});
  }
  [[nodiscard]] std::string url(const std::string& password, const std::string& database) const {
    return "postgresql://l%20oad" + password + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
  }

  process::EventLoop loop_;
  TemporaryFolder folder_;
  const unsigned port_ = free_port();
  std::unique_ptr<postgres::PrivateServer> server_;
};

TEST_F(WithPasswords, OneInTheUrlReachesEveryConnectionAndNoFile) {
  ::setenv("PGPASSWORD", "of another server", 1);
  {
    pqxx::connection connection(url(std::string(":") + kInUrl, "postgres"));
    pqxx::nontransaction(connection).exec("CREATE DATABASE app");
  }
  {
    pqxx::connection connection(url(std::string(":") + kInUrl, "app"));
    pqxx::nontransaction(connection).exec(kApplicationSchema);
  }
  json copying = config(std::string(":") + kInUrl);
  copying["database"]["copySchemaFrom"] = url(std::string(":") + kInUrl, "app");
  WalstormRun run(copying, {"-v"});
  expect_clean_run(run);
  for (const char* secret : {"w/rd", "w%2Frd"}) {
    EXPECT_THAT(run.output(), Not(HasSubstr(secret)));
    for (const char* file :
         {"metrics.json", "report.md", "config.json", "logs/producer-0.log", "logs/consumer-0.log"})
      EXPECT_THAT(run.read(file), Not(HasSubstr(secret))) << file;
  }
  expect_nothing_left(run);
}

TEST_F(WithPasswords, OneOfTheEnvironmentOrOfAPasswordFileIsTakenAsLibpqDoes) {
  ::setenv("PGPASSWORD", kPassword, 1);
  WalstormRun by_environment(config(""));
  expect_clean_run(by_environment);
  ::unsetenv("PGPASSWORD");
  const fs::path file = folder_.path() / "pgpass";
  std::ofstream(file) << R"(127.0.0.1:*:*:l oad:p@ss\:w/rd 'q' \\b "%&#?)"
                      << "\n";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  ::setenv("PGPASSFILE", file.c_str(), 1);
  WalstormRun by_file(config(""));
  expect_clean_run(by_file);
  WalstormRun wrong(config(":wrong"));
  EXPECT_EQ(wrong.finish().code, 3) << wrong.output();
  EXPECT_THAT(wrong.output(), HasSubstr("password authentication failed"));
}

}  // namespace
}  // namespace walstorm::tests
