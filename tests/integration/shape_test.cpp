// Loads of every shape that the config offers, at their ends: each must be written as asked, and its ledger
// be clean.

#include <algorithm>
#include <csignal>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "tests/support/run_fixture.h"
#include "tests/support/sanitized.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kWriteModes{"insert", "copy", "unnest", "prepared"};

/// A phase that ends with its records, however slow the machine.
json counted(const char* name, std::uint64_t records, const json& target) {
  json bounded = phase(name, 60, target);
  bounded["records"] = records;
  return bounded;
}

class Shape : public OnAServer {
 protected:
  /// Runs it and holds the ledger against the table; returns metrics.json.
  json run(const std::vector<json>& phases, const json& producer, const json& changes = json::object()) {
    json merged = {{"producer", producer}};
    merged.merge_patch(changes);
    WalstormRun run(config(phases, merged));
    EXPECT_EQ(run.finish().code, 0) << producer << "\n" << run.output();
    json metrics = run.metrics();
    expect_clean_changes(metrics["ledger"]["changes"]);
    EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
    EXPECT_EQ(metrics["ledger"]["rows"]["postgres"], rows());
    EXPECT_EQ(metrics["ledger"]["content"]["postgresMatches"], metrics["ledger"]["content"]["sampled"]);
    return metrics;
  }

  std::uint64_t rows() { return in_table("count(*)").as<std::uint64_t>(); }

  /// Every byte of the table: nothing in it depends on a clock.
  std::string content() {
    return in_table("coalesce(md5(string_agg(t::text, ' ' ORDER BY id)), 'empty')").as<std::string>();
  }

  /// Ends the producers' backends of which `condition` holds; returns how many.
  int end_writing_backends(const std::string& condition) {
    return one("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
               "WHERE application_name LIKE 'walstorm-producer-%' AND " +
               condition)[0]
        .as<int>();
  }

  /// A lock keeps the writers in their transactions until they have been ended.
  void end_backends_within_a_transaction(WalstormRun& run) {
    pqxx::connection connection(server_.address().conninfo("walstorm_profiling", "test"));
    pqxx::work holder(connection);
    holder.exec("LOCK TABLE \"TaskRun\" IN EXCLUSIVE MODE");
    run.wait_until([&] { return end_writing_backends("wait_event_type = 'Lock'") > 0; });
  }

  pqxx::field in_table(const std::string& aggregate) {
    row_ = one("SELECT " + aggregate + " FROM \"TaskRun\" t", "walstorm_profiling");
    return row_[0];
  }

 private:
  pqxx::row row_;
};

TEST_F(Shape, EveryWriteModeAndEveryRunWithOneSeedWritesTheSameRows) {
  const std::vector<json> phases{counted("counted", 1500, 3000), counted("max", 1000, "max")};
  json producer = {{"insertUpdateRatio", 0.6},
                   {"deleteRatio", 0.1},
                   {"batchSize", 50},
                   {"payloadSizeKB", 0.2},
                   {"preloadRows", 300}};
  (void)run(phases, producer);
  const std::string expected = content();
  for (const std::string& mode : kWriteModes) {
    producer["writeMode"] = mode;
    const json metrics = run(phases, producer);
    EXPECT_EQ(content(), expected) << mode;
    EXPECT_EQ(metrics["phases"][0]["producer"]["records"], 1500) << mode;
    EXPECT_EQ(metrics["phases"][1]["producer"]["records"], 1000) << mode;
  }
  (void)run(phases, producer, {{"seed", 2}});
  EXPECT_NE(content(), expected);
}

TEST_F(Shape, TransactionsOfOneAndOfTenThousandRecordsInEveryMode) {
  for (const std::string& mode : kWriteModes) {
    for (const unsigned batch_size : {1U, 10'000U}) {
      const std::uint64_t records = batch_size == 1 ? 500 : 30'000;
      const json metrics = run({counted("p", records, "max")}, {{"writeMode", mode},
                                                                {"batchSize", batch_size},
                                                                {"connections", 1},
                                                                {"payloadSizeKB", 0.1},
                                                                {"insertUpdateRatio", 0.5},
                                                                {"deleteRatio", 0.2}});
      const json& report = metrics["phases"][0]["producer"];
      EXPECT_EQ(report["records"], records) << mode;
      EXPECT_EQ(report["transactions"], records / batch_size) << mode;
      EXPECT_GT(report["updates"], 0) << mode;
      EXPECT_GT(report["deletes"], 0) << mode;
    }
  }
}

TEST_F(Shape, PreloadedRowsAreInTheRunsLedgerAndInNoPhase) {
  const json metrics = run({counted("updates", 600, 2000)},
                           {{"preloadRows", 2500}, {"insertUpdateRatio", 0}, {"workerCount", 2}});
  ASSERT_EQ(metrics["phases"].size(), 1U);
  const json& report = metrics["phases"][0];
  EXPECT_EQ(report["producer"]["updates"], 600) << "there were rows to update from the start";
  EXPECT_EQ(report["producer"]["becameInserts"], 0);
  EXPECT_EQ(report["ledger"]["produced"], 600);
  EXPECT_EQ(report["ledger"]["received"], 600);
  EXPECT_EQ(report["ledger"]["acknowledged"], 600);
  EXPECT_EQ(report["consumer"]["lagMs"]["count"], 600);
  EXPECT_EQ(metrics["ledger"]["changes"]["produced"], 3100);
  EXPECT_EQ(metrics["ledger"]["changes"]["acknowledged"], 3100) << "preloaded rows reach the sink too";
  EXPECT_EQ(rows(), 2500U);
  EXPECT_THAT(metrics["run"]["notes"].dump(), HasSubstr("preload: 2,500 of 2,500 rows written"));
}

TEST_F(Shape, PreloadThatIsInterruptedIsDrainedAndReported) {
  WalstormRun run(config({phase("never", 5, 100)}, {{"producer", {{"preloadRows", 5'000'000}}}}));
  run.wait_for_output("preload: 5,000,000 rows");
  run.wait_until([&] { return rows() > 0; });
  run.send_signal(SIGINT);
  EXPECT_EQ(run.finish(std::chrono::seconds(60)).code, 130) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["run"]["outcome"], "interrupted");
  EXPECT_THAT(metrics["phases"], IsEmpty());
  expect_clean_changes(metrics["ledger"]["changes"]);
  EXPECT_EQ(metrics["ledger"]["changes"]["produced"], metrics["ledger"]["rows"]["postgres"]);
  EXPECT_THAT(metrics["run"]["notes"].dump(), HasSubstr("of 5,000,000 rows written"));
  expect_no_slot();
  expect_nothing_left(run);
}

TEST_F(Shape, RatiosOfZeroAndOne) {
  const json updates = run({counted("p", 1000, 4000)}, {{"insertUpdateRatio", 0}, {"connections", 2}});
  const json& changed = updates["phases"][0]["producer"];
  EXPECT_EQ(changed["inserts"], 200) << "the first batch of each connection finds no row";
  EXPECT_EQ(changed["becameInserts"], 200);
  EXPECT_EQ(changed["updates"], 800);

  const json deletes = run({counted("p", 1000, 4000)}, {{"deleteRatio", 1}, {"connections", 1}});
  const json& removed = deletes["phases"][0]["producer"];
  EXPECT_EQ(removed["inserts"], 500);
  EXPECT_EQ(removed["deletes"], 500);
  EXPECT_EQ(rows(), 0U);

  const json inserts = run({counted("p", 1000, 4000)}, {{"insertUpdateRatio", 1}});
  EXPECT_EQ(inserts["phases"][0]["producer"]["inserts"], 1000);
}

TEST_F(Shape, RowsBeyondMaxLiveRowsAreNeverChangedAgain) {
  const json metrics = run({counted("inserts", 1000, "max"), counted("mixed", 1000, "max")},
                           {{"maxLiveRows", 8}, {"insertUpdateRatio", 0.5}, {"batchSize", 10}});
  EXPECT_EQ(metrics["phases"][1]["producer"]["records"], 1000);
  // Of a batch of ten half should be updates, but each of the four connections knows two rows.
  EXPECT_EQ(metrics["phases"][1]["producer"]["updates"], 200);
  EXPECT_EQ(metrics["phases"][1]["producer"]["becameInserts"], 300);
}

TEST_F(Shape, PoissonArrivalsOfferTheTargetAndCountWhatTheyDrop) {
  const json metrics = run({phase("steady", 4, 1500), phase("ramp", 4, {{"from", 0}, {"to", 2000}}),
                            counted("counted", 900, 1500)},
                           {{"arrival", "poisson"}, {"batchSize", 10}, {"workerCount", 2}});
  const std::vector<std::uint64_t> due{6000, 4000, 900};
  for (std::size_t i = 0; i < due.size(); ++i) {
    const json& report = metrics["phases"][i]["producer"];
    EXPECT_EQ(report["records"].get<std::uint64_t>() + report["notStarted"].get<std::uint64_t>(), due[i]);
    EXPECT_GT(report["targetRatio"], 0.9);
    EXPECT_LE(report["targetRatio"], 1.0);
  }
  EXPECT_EQ(metrics["phases"][2]["producer"]["records"], 900);
}

TEST_F(Shape, LargePayloadsStayOutOfLineWhenTheirRowsAreUpdated) {
  for (const std::string& mode : kWriteModes) {
    (void)run({counted("updates", 100, 200)}, {{"writeMode", mode},
                                               {"preloadRows", 10},
                                               {"insertUpdateRatio", 0},
                                               {"batchSize", 5},
                                               {"connections", 1},
                                               {"payloadSizeKB", 200},
                                               {"payloadEntropy", 1}});
    // An update that wrote the payload again would have made new chunks and left the old ones dead.
    const std::string toast =
        one("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'TaskRun'",
            "walstorm_profiling")[0]
            .as<std::string>();
    EXPECT_EQ(one("SELECT count(DISTINCT chunk_id) FROM " + toast, "walstorm_profiling")[0].as<int>(), 10);
    EXPECT_EQ(one("SELECT pg_stat_get_tuples_deleted('" + toast + "'::regclass)", "walstorm_profiling")[0]
                  .as<int>(),
              0)
        << mode;
    EXPECT_GT(in_table("min(length(payload))").as<int>(), 90 * 1024);
  }
}

TEST_F(Shape, PayloadsOfNothingAndOfAMegabyteInBoundedMemory) {
  const json none = run({counted("p", 500, "max")}, {{"payloadSizeKB", 0}});
  EXPECT_EQ(in_table("max(length(payload))").as<int>(), 2);
  EXPECT_LT(none["phases"][0]["producer"]["bytes"], 500 * 800);
  for (const std::string& mode : kWriteModes) {
    const json metrics = run({counted("p", 100, "max")}, {{"payloadSizeKB", 1000},
                                                          {"batchSize", 50},
                                                          {"connections", 1},
                                                          {"insertUpdateRatio", 1},
                                                          {"writeMode", mode}});
    const json& processes = metrics["phases"][0]["processes"];
    const auto producer = std::find_if(processes.begin(), processes.end(),
                                       [](const json& p) { return p["role"] == "producer-0"; });
    ASSERT_NE(producer, processes.end());
    if (kSanitized) continue;
    EXPECT_LT((*producer)["rssMaxBytes"], 48 << 20) << mode << ": a transaction of 50 MB was held in memory";
  }
}

TEST_F(Shape, SettingsOfTheWritingSessionsAreMade) {
  WalstormRun run(
      config({phase("p", 30, 500)}, {{"database", {{"settings", {{"synchronous_commit", "off"}}}}}}));
  run.wait_for_output("phase p");
  // The sessions themselves say, in a trigger that is none of the run's.
  pqxx::connection connection(server_.address().conninfo("walstorm_profiling", "test"));
  pqxx::nontransaction(connection)
      .exec(
          "CREATE TABLE told (value text); CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
          "INSERT INTO told VALUES (current_setting(''synchronous_commit'')); RETURN NULL; END'; CREATE "
          "TRIGGER "
          "tells AFTER INSERT ON \"TaskRun\" FOR EACH STATEMENT EXECUTE FUNCTION tell()");
  run.wait_until([&] { return one("SELECT count(*) FROM told", "walstorm_profiling")[0].as<int>() > 10; });
  EXPECT_EQ(
      one("SELECT string_agg(DISTINCT value, ' ') FROM told", "walstorm_profiling")[0].as<std::string>(),
      "off");
  run.send_signal(SIGINT);
  EXPECT_EQ(run.finish().code, 130) << run.output();
  EXPECT_EQ(json::parse(run.read("config.json"))["database"]["settings"]["synchronous_commit"], "off");
}

TEST_F(Shape, ProducersOutliveTheLossOfTheirConnections) {
  WalstormRun run(config({phase("p", 6, 1000)}, {{"producer", {{"workerCount", 2}, {"batchSize", 10}}}}));
  run.wait_for_output("phase p");
  for (int round = 0; round < 6; ++round) {
    (void)end_writing_backends("state <> 'idle'");  // at whatever moment, a commit's too
    end_backends_within_a_transaction(run);
  }
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  const json& report = metrics["phases"][0];
  expect_clean_changes(report["ledger"]);
  EXPECT_GT(report["producer"]["errors"], 0);
  EXPECT_EQ(report["producer"]["records"].get<int>() + report["producer"]["notStarted"].get<int>(), 6000)
      << "no record is lost with a connection";
  EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
  EXPECT_THAT(report["notes"].dump(), HasSubstr("lost its connection to PostgreSQL"));
  expect_no_slot();
}

/// Of a load of 600 inserts in batches of ten, one of four connections sits in its batch until the others
/// have written all that is left.
TEST_F(Shape, InsertsAreWrittenPastAConnectionThatIsStuck) {
  json load = phase("p", 60, 300);
  load["records"] = 600;
  WalstormRun run(config({load}, {{"producer", {{"batchSize", 10}, {"insertUpdateRatio", 1}}}}));
  run.wait_for_output("phase p");
  run.wait_until([&] { return rows() > 0; });
  const pid_t stuck = one("SELECT min(pid) FROM pg_stat_activity WHERE application_name LIKE "
                          "'walstorm-producer-%'")[0]
                          .as<pid_t>();
  ::kill(stuck, SIGSTOP);
  // One batch at most is with it.
  run.wait_until([&] { return rows() >= 590; });
  ::kill(stuck, SIGCONT);
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  const json& report = metrics["phases"][0];
  EXPECT_EQ(report["producer"]["records"], 600);
  EXPECT_EQ(report["producer"]["notStarted"], 0);
  EXPECT_EQ(report["producer"]["censored"], 0);
  expect_clean_changes(report["ledger"]);
  EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
  EXPECT_GT(report["busy"]["connectionMax"], report["busy"]["connectionMin"]);
}

TEST_F(Shape, WriteLatencyHoldsWhatALockedTableKeptFromStarting) {
  WalstormRun run(config({phase("p", 4, 1000)}, {{"producer", {{"batchSize", 10}}},
                                                 {"thresholds", {"producer.writeLatencyMs.p99 < 1000"}}}));
  run.wait_for_output("phase p");
  run.wait_until([&] { return rows() > 0; });
  {
    pqxx::connection connection(server_.address().conninfo("walstorm_profiling", "test"));
    pqxx::work holder(connection);
    holder.exec("LOCK TABLE \"TaskRun\" IN EXCLUSIVE MODE");
    // Longer than the whole load.
    run.wait_until([&] {
      return one("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'walstorm-producer-%' "
                 "AND "
                 "wait_event_type = 'Lock' AND clock_timestamp() - query_start > '4.5 s'")[0]
                 .as<int>() > 0;
    });
  }
  EXPECT_EQ(run.finish().code, 99) << run.output();
  const json metrics = run.metrics();
  const json& producer = metrics["phases"][0]["producer"];
  EXPECT_GT(producer["notStarted"], 0);
  EXPECT_EQ(producer["censored"], producer["notStarted"].get<int>() / 10) << "transactions of ten records";
  EXPECT_EQ(producer["writeLatencyMs"]["count"],
            producer["transactions"].get<int>() + producer["censored"].get<int>());
  EXPECT_EQ(producer["scheduleLagMs"]["count"], producer["writeLatencyMs"]["count"]);
  EXPECT_GT(producer["scheduleLagMs"]["p99"], 1000);
  EXPECT_THAT(run.read("report.md"), HasSubstr("due and not in PostgreSQL when the load ended"));
}

TEST_F(Shape, TimeLimitsOfARoleAreCountedAndEndNothing) {
  {
    pqxx::connection connection(server_.address().conninfo("postgres", "test"));
    pqxx::nontransaction(connection)
        .exec(
            "CREATE ROLE limited SUPERUSER LOGIN; ALTER ROLE limited SET statement_timeout = '400ms'; "
            "ALTER ROLE limited SET lock_timeout = '300ms'; ALTER ROLE limited SET "
            "idle_in_transaction_session_timeout = '500ms'; ALTER ROLE limited SET idle_session_timeout = "
            "'2s'");
  }
  WalstormRun run(
      config({phase("p", 5, 500)},
             {{"database", {{"url", "postgresql://limited@/postgres?host=" + server_.folder().string()}}},
              {"producer", {{"batchSize", 10}, {"preloadRows", 1000}}}}));
  run.wait_for_output("phase p");
  const auto preloaded = rows();
  run.wait_until([&] { return rows() != preloaded; });
  {
    pqxx::connection connection(server_.address().conninfo("walstorm_profiling", "test"));
    pqxx::work holder(connection);
    holder.exec("LOCK TABLE \"TaskRun\" IN EXCLUSIVE MODE");
    run.wait_until([&] {
      std::ifstream log(logs_.path() / "postgres.log");
      const std::string text{std::istreambuf_iterator<char>(log), {}};
      return text.find("canceling statement due to") != std::string::npos;
    });
  }
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  const json& producer = metrics["phases"][0]["producer"];
  EXPECT_GT(producer["errors"], 0);
  std::uint64_t by_sqlstate = 0;
  for (const auto& [sqlstate, count] : producer["errorsBySqlstate"].items())
    by_sqlstate += count.get<unsigned>();
  EXPECT_EQ(producer["errors"], by_sqlstate);
  EXPECT_EQ(producer["records"].get<int>() + producer["notStarted"].get<int>() +
                producer["recordsFailed"].get<int>(),
            2500);
  expect_clean_changes(metrics["ledger"]["changes"]);
  EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
  EXPECT_EQ(metrics["ledger"]["content"]["postgresMatches"], metrics["ledger"]["content"]["sampled"]);
  EXPECT_THAT(run.output(), HasSubstr("transactions were rolled back by PostgreSQL"));
  expect_no_slot();
}

}  // namespace
}  // namespace walstorm::tests
