// Servers whose databases are not in UTF8, and names that are no bare identifiers: every row is right at its
// end all the same, or what cannot be is said beforehand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "proto/workload/task_run_table.h"
#include "tests/support/clickhouse.h"
#include "tests/support/restartable_server.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Encoded : public testing::TestWithParam<const char*> {
 protected:
  void execute(const std::string& sql, const std::string& database = "postgres") {
    pqxx::connection connection(server_.address().conninfo(database, "test"));
    pqxx::nontransaction(connection).exec(sql);
  }
  std::string one(const std::string& sql) {
    pqxx::connection connection(server_.address().conninfo("postgres", "test"));
    return postgres::query_row(connection, sql)[0].as<std::string>();
  }
  std::string encoding() {
    return one("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'walstorm_profiling'");
  }
  [[nodiscard]] json load(const json& changes = json::object()) const {
    json config = config_with({phase("p", 1, 500)}, {{"database", {{"url", server_.url()}}}});
    config.merge_patch(changes);
    return config;
  }
  /// As load(), into a ClickHouse where there is one: rows are compared there too.
  [[nodiscard]] json load_to_the_end() const {
    if (!has_clickhouse()) return load();
    return load({{"clickhouse", {{"url", "private"}}}, {"consumer", {{"useMockClickhouse", false}}}});
  }
  void expect_clean(const json& config) {
    WalstormRun check(config, {}, WALSTORM_BINARY, "check");
    EXPECT_EQ(check.finish().code, 0) << check.output();
    WalstormRun run(config);
    expect_clean_run(run);
    const json content = run.metrics()["ledger"]["content"];
    EXPECT_GT(content["sampled"], 0);
    EXPECT_EQ(content["postgresMatches"], content["sampled"]);
    if (config["consumer"]["useMockClickhouse"]) return;
    EXPECT_EQ(content["landedMatches"], content["sampled"]);
  }

  process::EventLoop loop_;
  RestartableServer server_{loop_, {}, GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Servers, Encoded, testing::Values("SQL_ASCII", "LATIN1", "EUC_JP"),
                         [](const auto& encoding) { return std::string(encoding.param); });

TEST_P(Encoded, ItsProfilingDatabaseIsMadeInUtf8) {
  expect_clean(load_to_the_end());
  EXPECT_EQ(encoding(), "UTF8");
}

TEST_P(Encoded, OneThatAnEarlierVersionMadeIsMadeAnew) {
  execute("CREATE DATABASE walstorm_profiling TEMPLATE template0");
  execute(
      "COMMENT ON DATABASE walstorm_profiling IS 'made by walstorm: emptied by its runs, dropped by walstorm "
      "clean'");
  ASSERT_EQ(encoding(), GetParam());
  expect_clean(load());
  EXPECT_EQ(encoding(), "UTF8");
}

TEST_P(Encoded, OneThatIsNotWalstormsIsUsedAsItIsOrRefusedBeforehand) {
  execute("CREATE DATABASE walstorm_profiling TEMPLATE template0");
  if (std::string(GetParam()) == "SQL_ASCII") return expect_clean(load_to_the_end());
  for (const char* command : {"check", "run"}) {
    WalstormRun run(load(), {}, WALSTORM_BINARY, command);
    EXPECT_EQ(run.finish().code, 3) << run.output();
    EXPECT_THAT(run.output(), HasSubstr(std::string("of \"walstorm_profiling\" is ") + GetParam() +
                                        ", which cannot hold every text that walstorm writes"));
  }
}

class Named : public OnAServer {
 protected:
  [[nodiscard]] json named(const std::string& name) const {
    json settings = config({phase("p", 1, 500)}, {{"database", {{"profilingDatabase", name}}},
                                                  {"consumer", {{"publicationName", name}}}});
    if (has_clickhouse())
      settings.merge_patch({{"clickhouse", {{"url", "private"}, {"database", name}}},
                            {"consumer", {{"useMockClickhouse", false}}}});
    return settings;
  }
};

TEST_F(Named, DatabasesAndPublicationsMayHaveAnyNameThatPostgresTakes) {
  const std::vector<std::string> names{"My DB", R"(it's "quoted" \ and {versions}; -- $1)", "größe-データ",
                                       std::string(63, 'N'), "a=b postgresql://x"};
  for (const std::string& name : names) {
    WalstormRun check(named(name), {}, WALSTORM_BINARY, "check");
    EXPECT_EQ(check.finish().code, 0) << check.output();
    WalstormRun run(named(name));
    expect_clean_run(run);
    pqxx::connection connection(server_.address().conninfo(name, "test"));
    EXPECT_EQ(postgres::query_row(connection, "SELECT pubname FROM pg_publication")[0].as<std::string>(),
              name);
    connection.disconnect();
    json without_sink = named(name);
    without_sink["consumer"]["useMockClickhouse"] = true;
    without_sink.erase("clickhouse");
    WalstormRun clean(without_sink, {}, WALSTORM_BINARY, "clean");
    EXPECT_EQ(clean.finish().code, 0) << clean.output();
  }
  EXPECT_EQ(one("SELECT count(*) FROM pg_database WHERE NOT datistemplate")[0].as<int>(), 1);
}

TEST_F(Named, ASchemaIsCopiedFromSuchADatabaseIntoSuchADatabase) {
  {
    pqxx::connection home(server_.address().conninfo("postgres", "test"));
    pqxx::nontransaction(home).exec("CREATE DATABASE \"the \"\"App's\"\" größe\"");
  }
  const std::string source = "the \"App's\" größe";
  {
    pqxx::connection app(server_.address().conninfo(source, "test"));
    pqxx::nontransaction(app).exec(wire::create_task_run_sql());
  }
  json config = named("My copy's DB");
  config["database"]["copySchemaFrom"] = source;
  WalstormRun run(config);
  expect_clean_run(run);
}

}  // namespace
}  // namespace walstorm::tests
