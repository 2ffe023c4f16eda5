// Runs that lose PostgreSQL on the way: they go on when it comes back, with a clean ledger, and end with the
// reason when it cannot be read any more.

#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "tests/support/restartable_server.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class Reconnect : public OnAServer {
 protected:
  /// Ends the run's walsender once one other than `last` is there. Returns its process.
  int terminate_walsender(WalstormRun& run, int last) {
    int ended = 0;
    run.wait_until([&] {
      const auto row =
          one("SELECT coalesce(max(pid), 0) FROM pg_stat_replication WHERE state = 'streaming' AND pid <> " +
              std::to_string(last));
      ended = row[0].as<int>();
      return ended != 0;
    });
    (void)one("SELECT pg_terminate_backend(" + std::to_string(ended) + ")");
    return ended;
  }
};

TEST_F(Reconnect, WalsenderTerminatedAgainAndAgainLeavesACleanLedger) {
  // Transactions larger than batches, so that losses cut them in the middle, and a slot that lags behind what
  // was read.
  WalstormRun run(config({phase("first", 5, 4000), phase("second", 3, 2000)},
                         {{"producer", {{"batchSize", 2000}, {"deleteRatio", 0.1}}},
                          {"consumer", {{"mockClickhouseDelay", 300}}}}));
  run.wait_for_output("phase first");
  run.wait_until([&] { return one("SELECT count(*) FROM pg_stat_replication")[0].as<int>() == 1; });
  int last = 0;
  for (int i = 0; i < 6; ++i) last = terminate_walsender(run, last);
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  expect_clean_changes(metrics["ledger"]["changes"]);
  EXPECT_GT(metrics["ledger"]["changes"]["replayed"], 0);
  for (const json& report : metrics["phases"]) expect_clean_changes(report["ledger"]);
  EXPECT_THAT(metrics["phases"][0]["notes"].dump(),
              HasSubstr("consumer-0 lost the connection to PostgreSQL and reconnected after"));
  EXPECT_THAT(metrics["phases"][0]["notes"].dump(), HasSubstr("terminating connection"));
  EXPECT_THAT(run.read("report.md"), HasSubstr("replayed"));
  EXPECT_THAT(run.output(), HasSubstr("reconnected after"));
  expect_no_slot();
}

TEST_F(Reconnect, CopiedRowsThatShareOnePositionAreToldApart) {
  WalstormRun run(config({phase("p", 4, 8000)}, {{"producer", {{"writeMode", "copy"}, {"batchSize", 4000}}},
                                                 {"consumer", {{"mockClickhouseDelay", 100}}}}));
  run.wait_for_output("phase p");
  int last = 0;
  for (int i = 0; i < 5; ++i) last = terminate_walsender(run, last);
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  expect_clean_changes(metrics["ledger"]["changes"]);
  EXPECT_GT(metrics["ledger"]["changes"]["replayed"], 0);
}

TEST_F(Reconnect, EachAckPolicyAndABlockedSinkOutliveALoss) {
  for (const char* policy : {"afterFlush", "onReceive", "never"}) {
    WalstormRun run(config({phase("p", 3, 1500)}, {{"consumer",
                                                    {{"ackPolicy", policy},
                                                     {"mockClickhouseDelay", 1500},
                                                     {"maxFlushConcurrency", 2},
                                                     {"flushBatchSize", 1000}}}}));
    run.wait_for_output("phase p");
    (void)terminate_walsender(run, 0);
    EXPECT_EQ(run.finish().code, 0) << policy << run.output();
    expect_clean_changes(run.metrics()["ledger"]["changes"]);
    EXPECT_THAT(run.metrics()["phases"][0]["notes"].dump(), HasSubstr("reconnected after")) << policy;
  }
}

TEST_F(Reconnect, SlotDroppedUnderTheRunIsFinal) {
  WalstormRun run(config({phase("p", 30, 500)}));
  run.wait_for_output("phase p");
  // The consumer is back within a moment, unless the slot can be dropped before: so try until it could.
  bool dropped = false;
  run.wait_until([&] {
    if (dropped) return true;
    try {
      (void)one("SELECT pg_terminate_backend(active_pid, 1000) FROM pg_replication_slots WHERE active");
      (void)one("SELECT pg_drop_replication_slot('walstorm_slot')");
      dropped = true;
    } catch (const std::exception&) {  // no row, or the slot is in use again
    }
    return dropped;
  });
  EXPECT_EQ(run.finish(std::chrono::seconds(40)).code, 1) << run.output();
  EXPECT_THAT(run.metrics()["run"]["failure"].get<std::string>(),
              AllOf(HasSubstr("consumer-0"), HasSubstr("\"walstorm_slot\" is gone")));
  expect_nothing_left(run);
}

TEST_F(Reconnect, InvalidatedSlotIsFinalAndNamesTheSetting) {
  postgres::PrivateServer stingy(loop_, {{"max_slot_wal_keep_size", "1MB"}}, logs_.path() / "stingy.log");
  pqxx::connection connection(stingy.address().conninfo("postgres", "test"));
  pqxx::nontransaction sql(connection);
  // A sink that acknowledges nothing: the slot stays where it is while the WAL goes on.
  WalstormRun run(config({phase("p", 60, 300)}, {{"database", {{"url", url_of(stingy)}}},
                                                 {"consumer", {{"mockClickhouseDelay", 60'000}}}}));
  run.wait_for_output("phase p");
  bool lost = false;
  run.wait_until([&] {
    if (lost) return true;
    sql.exec("SELECT pg_switch_wal()");
    sql.exec("CHECKPOINT");
    lost = sql.exec("SELECT 1 FROM pg_replication_slots WHERE wal_status = 'lost'").size() == 1;
    return lost;
  });
  EXPECT_EQ(run.finish(std::chrono::seconds(40)).code, 1) << run.output();
  EXPECT_THAT(run.metrics()["run"]["failure"].get<std::string>(),
              AllOf(HasSubstr("\"walstorm_slot\""), HasSubstr("lost"), HasSubstr("max_slot_wal_keep_size")));
}

/// Until the run has written so many.
void wait_for_rows(WalstormRun& run, const RestartableServer& server, int rows) {
  bool written = false;
  run.wait_until([&] {
    if (written) return true;
    pqxx::connection connection(server.address().conninfo("walstorm_profiling", "test"));
    const auto row = postgres::query_row(connection, "SELECT count(*) FROM \"TaskRun\"");
    return written = row[0].as<int>() >= rows;
  });
}

TEST(ServerThatStaysAway, FailsTheRunWithAReportAndLeavesTheRestToClean) {
  process::EventLoop loop;
  RestartableServer server(loop);
  const json config =
      config_with({phase("p", 60, 500)}, {{"database", {{"url", server.url()}, {"giveUpSec", 2}}}});
  WalstormRun run(config);
  run.wait_for_output("phase p");
  wait_for_rows(run, server, 100);
  server.stop(SIGQUIT);
  EXPECT_EQ(run.finish().code, 1) << run.output();
  EXPECT_EQ(run.metrics()["run"]["outcome"], "failed");
  EXPECT_THAT(run.metrics()["run"]["notes"].dump(), HasSubstr("walstorm clean finishes this"));
  EXPECT_THAT(run.survivors(), testing::IsEmpty());
  server.start();
  server.wait_until_ready();
  WalstormRun clean(config, {}, WALSTORM_BINARY, "clean");
  EXPECT_EQ(clean.finish().code, 0) << clean.output();
  EXPECT_THAT(clean.output(), HasSubstr("walstorm_slot"));
}

// The producers have nothing to write by then: what is waited for is the consumer, the marker and the count.
TEST(RestartInTheDrain, LeavesACleanLedger) {
  process::EventLoop loop;
  RestartableServer server(loop);
  WalstormRun run(config_with({phase("p", 2, 1000)}, {{"database", {{"url", server.url()}}},
                                                      {"producer", {{"insertUpdateRatio", 1}}},
                                                      {"consumer", {{"mockClickhouseDelay", 4000}}}}));
  run.wait_for_output("phase p");
  wait_for_rows(run, server, 2000);
  server.stop(SIGQUIT);
  server.start();
  server.wait_until_ready();
  (void)run.finish();  // what the producers find in their own lost connections is not this test's
  const json metrics = run.metrics();
  expect_clean_changes(metrics["phases"][0]["ledger"]);
  EXPECT_THAT(metrics["phases"][0]["notes"].dump(), HasSubstr("reconnected after"));
}

/// The user's server, restarted while a run uses it.
class Restart : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Fast, Restart, testing::Values(SIGINT));
INSTANTIATE_TEST_SUITE_P(Immediate, Restart, testing::Values(SIGQUIT));

TEST_P(Restart, OfTheServerWithinAPhaseLeavesACleanLedger) {
  process::EventLoop loop;
  RestartableServer server(loop);
  WalstormRun run(
      config_with({phase("p", 8, 1000), phase("after", 1, 500)},
                  {{"database", {{"url", server.url()}}}, {"consumer", {{"mockClickhouseDelay", 200}}}}));
  run.wait_for_output("phase p");
  wait_for_rows(run, server, 1000);
  server.stop(GetParam());
  server.start();
  server.wait_until_ready();
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  for (const json& report : metrics["phases"]) expect_clean_changes(report["ledger"]);
  EXPECT_THAT(metrics["phases"][0]["notes"].dump(), HasSubstr("reconnected after"));
  EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
  pqxx::connection connection(server.address().conninfo("postgres", "test"));
  EXPECT_EQ(postgres::query_row(connection, "SELECT count(*) FROM pg_replication_slots")[0].as<int>(), 0);
}

}  // namespace
}  // namespace walstorm::tests
