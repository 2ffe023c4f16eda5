#include "tests/support/run_fixture.h"

#include <gmock/gmock.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"

namespace walstorm::tests {

using nlohmann::json;
using testing::IsEmpty;

json phase(const char* name, double seconds, const json& target) {
  return {{"name", name}, {"durationSec", seconds}, {"targetThroughput", target}};
}

json config_with(const std::vector<json>& phases, const json& changes) {
  json config = {{"name", "test"},
                 {"phases", phases},
                 {"database", {{"url", "private"}}},
                 {"consumer", {{"useMockClickhouse", true}}},
                 {"stop", {{"graceSec", 5}}}};
  config.merge_patch(changes);
  return config;
}

void expect_clean_changes(const json& ledger) {
  EXPECT_GT(ledger["produced"], 0);
  EXPECT_EQ(ledger["received"], ledger["produced"]);
  EXPECT_EQ(ledger["acknowledged"], ledger["produced"]);
  EXPECT_EQ(ledger["missing"], 0);
  EXPECT_EQ(ledger["duplicated"], 0);
  EXPECT_EQ(ledger["inTransit"], 0);
  EXPECT_EQ(ledger["checksumMatches"], true);
}

void expect_clean_run(WalstormRun& run) {
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  ASSERT_TRUE(metrics.is_object());
  expect_clean_changes(metrics["ledger"]["changes"]);
  EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
  EXPECT_EQ(metrics["ledger"]["content"]["postgresMatches"], metrics["ledger"]["content"]["sampled"]);
}

void expect_nothing_left(const WalstormRun& run) {
  EXPECT_THAT(run.survivors(), IsEmpty());
  EXPECT_THAT(run.private_folders(), IsEmpty());
}

OnAServer::OnAServer() : server_(loop_, {}, logs_.path() / "postgres.log") {}

std::string OnAServer::url_of(const postgres::PrivateServer& server) {
  return "postgresql://walstorm@/postgres?host=" + server.folder().string();
}

json OnAServer::config(const std::vector<json>& phases, const json& changes) const {
  json merged = {{"database", {{"url", url_of(server_)}}}};
  merged.merge_patch(changes);
  return config_with(phases, merged);
}

pqxx::row OnAServer::one(const std::string& sql, const std::string& database) {
  pqxx::connection connection(server_.address().conninfo(database, "test"));
  pqxx::nontransaction transaction(connection);
  return postgres::query_row(transaction, sql);
}

void OnAServer::expect_no_slot() {
  EXPECT_EQ(one("SELECT count(*) FROM pg_replication_slots")[0].as<int>(), 0);
}

}  // namespace walstorm::tests
