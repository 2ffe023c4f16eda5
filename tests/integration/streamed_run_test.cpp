// Whole runs whose transactions are streamed before they commit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "tests/support/consumer_fixture.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(StreamedRun, HasACleanLedgerBesideASessionThatTakesItsWorkBack) {
  WalstormRun run(
      config_with({phase("p", 8, 10'000)},
                  {{"database", {{"settings", {{"logical_decoding_work_mem", "64kB"}}}}},
                   {"producer", {{"batchSize", 10'000}, {"writeMode", "copy"}, {"connections", 2}}},
                   {"consumer", {{"protoVersion", 2}, {"streaming", "on"}, {"maxBufferedMB", 4}}}}));
  run.wait_for_output("phase p");
  ASSERT_EQ(run.private_folders().size(), 1U);
  std::uint64_t streamed = 0;
  {
    pqxx::connection connection("host=" + run.private_folders()[0].string() +
                                " user=walstorm dbname=walstorm_profiling");
    pqxx::nontransaction session(connection);
    session.exec("BEGIN; " + insert_sql(1, 3000) + "; ROLLBACK");
    session.exec("BEGIN; SAVEPOINT outer_part; " + insert_sql(1, 2000) + "; SAVEPOINT inner_part; " +
                 insert_sql(2001, 2000) + "; RELEASE inner_part; ROLLBACK TO outer_part; COMMIT");
    run.wait_until([&] {
      const auto row =
          postgres::query_row(session, "SELECT coalesce(sum(stream_txns), 0) FROM pg_stat_replication_slots");
      streamed = row[0].as<std::uint64_t>();
      return streamed >= 3;
    });
  }
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  expect_clean_changes(metrics["ledger"]["changes"]);
  EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
  EXPECT_GT(metrics["phases"][0]["consumer"]["lagMs"]["p50"], 0);
  EXPECT_LE(metrics["phases"][0]["consumer"]["bufferedBytesMax"], 5U << 20U);
  EXPECT_GE(streamed, 3U);
  EXPECT_THAT(run.read("logs/consumer-0.log"), HasSubstr("1 aborted; sub-transactions aborted: 2"));
  EXPECT_EQ(metrics["config"]["consumer"]["streaming"], "on");
}

TEST_F(OnAServer, TooOldForTheProtocolIsExitCode3AndSaysWhatToChange) {
  if (one("SHOW server_version_num")[0].as<int>() >= 160'000) GTEST_SKIP() << "this server is new enough";
  WalstormRun run(
      config({phase("p", 1, 100)}, {{"consumer", {{"protoVersion", 4}, {"streaming", "parallel"}}}}));
  EXPECT_EQ(run.finish().code, 3) << run.output();
  EXPECT_THAT(run.output(), HasSubstr("protocol version 4 came with PostgreSQL 16"));
  EXPECT_THAT(run.output(), HasSubstr("consumer.streaming to \"on\""));
  expect_no_slot();
}

}  // namespace
}  // namespace walstorm::tests
