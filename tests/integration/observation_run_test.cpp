// What a run says of the WAL's way and of PostgreSQL, held against what the test sees there itself.

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

/// A column of timeseries.csv, by its header; empty fields are left out. No field of a test's run is quoted.
std::vector<std::string> column(const std::string& csv, const std::string& header) {
  std::istringstream lines(csv);
  std::vector<std::string> values;
  std::size_t wanted = std::string::npos;
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> fields;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) fields.push_back(cell);
    if (wanted == std::string::npos) {
      wanted = static_cast<std::size_t>(std::find(fields.begin(), fields.end(), header) - fields.begin());
      EXPECT_LT(wanted, fields.size()) << header;
    } else if (wanted < fields.size() && !fields[wanted].empty()) {
      values.push_back(fields[wanted]);
    }
  }
  return values;
}

/// The test's own eyes on the server.
class Observer final {
 public:
  explicit Observer(const postgres::PrivateServer& server)
      : connection_(server.address().conninfo("postgres", "test")) {}

  /// nullopt while there is no slot.
  std::optional<pqxx::row> look(const std::string& what) {
    pqxx::nontransaction transaction(connection_);
    const auto rows = postgres::query(
        transaction,
        "SELECT " + what + " FROM pg_replication_slots s JOIN pg_stat_replication_slots t USING (slot_name)");
    if (rows.empty()) return std::nullopt;
    return rows[0];
  }

 private:
  pqxx::connection connection_;
};

TEST_F(OnAServer, AStalledSinkGrowsOneDistanceInBytesAndSecondsAndTheSlotAgrees) {
  constexpr double kStallSec = 4;
  WalstormRun run(config(
      {phase("stall", 9, 1000)},
      {{"consumer",
        {{"flushIntervalMs", 20}, {"mock", {{"stalls", {{{"atSec", 2}, {"durationSec", kStallSec}}}}}}}}}));
  Observer observer(server_);
  double behind_max = 0;
  bool seen = false;
  run.wait_until([&] {
    const auto row = observer.look("coalesce(pg_current_wal_lsn() - s.confirmed_flush_lsn, 0)");
    if (row) behind_max = std::max(behind_max, (*row)[0].as<double>());
    seen = seen || row;
    return seen && !row;  // the slot is gone
  });
  expect_clean_run(run);
  const json report = run.metrics()["phases"][0];
  const json& flushed = report["ladder"]["receivedToFlushed"];
  // Looks are a second apart, on a machine that does other things; and what had been flushed when the sink
  // stood still was written up to a flush interval and a flush before.
  EXPECT_THAT(flushed["sec"]["max"].get<double>(), AllOf(Ge(kStallSec - 1.6), Le(kStallSec + 1.6)));
  EXPECT_LT(flushed["sec"]["min"], 1);
  EXPECT_LT(flushed["sec"]["end"], 1);
  EXPECT_GT(flushed["bytes"]["max"], 2'000'000) << "more than 1 KB a record";
  EXPECT_LT(flushed["bytes"]["end"], 10'000) << "of what nobody publishes";
  // (What was flushed at last waits for the next status message: up to a second, with all of it behind.)
  for (const char* other : {"headToSent", "sentToReceived"}) {
    EXPECT_LT(report["ladder"][other]["bytes"]["max"], flushed["bytes"]["max"]) << other;
  }
  // Ours is looked at once a second, theirs at any time: a second's worth of WAL apart, and as much again on
  // a machine that does other things.
  const double second_of_wal = behind_max / kStallSec;
  EXPECT_NEAR(report["consumer"]["walBehindBytes"]["max"], behind_max, 2 * second_of_wal);
  const std::string csv = run.read("timeseries.csv");
  double growth_max = 0;
  for (const std::string& sec : column(csv, "receivedToFlushedSec"))
    growth_max = std::max(growth_max, std::stod(sec));
  EXPECT_NEAR(growth_max, flushed["sec"]["max"], 0.001);
  EXPECT_THAT(column(csv, "walsenderState"), testing::Contains("streaming"));
  EXPECT_EQ(report["postgres"]["walStatus"], "reserved");
  EXPECT_GT(report["postgres"]["walsenderStates"]["streaming"], 0.5);
  double writers = 0;
  for (const auto& [wait, backends] : report["postgres"]["writerWaits"].items())
    writers += backends.get<double>();
  EXPECT_NEAR(writers, 4, 0.01) << "producer.connections: " << report["postgres"]["writerWaits"];
  EXPECT_THAT(run.read("report.md"), HasSubstr("received, not flushed"));
}

TEST_F(OnAServer, WhatLookingAtTheServerCostsIsInTheReport) {
  WalstormRun run(config({phase("p", 3, 1000)}));
  expect_clean_run(run);
  const json metrics = run.metrics();
  bool found = false;
  for (const json& process : metrics["phases"][0]["processes"]) {
    if (process["role"] != "postgres-sampler") continue;
    found = true;
    EXPECT_TRUE(process["pid"].is_number());
    // A tick of 10 ms is all that /proc tells; a look a second costs next to nothing.
    EXPECT_LT(process["cpuUserSec"].get<double>() + process["cpuSystemSec"].get<double>(), 1);
  }
  EXPECT_TRUE(found);
  EXPECT_THAT(run.read("timeseries.csv"), HasSubstr("postgres-sampler.cpuShare"));
}

/// A server that keeps no transaction in memory beyond 64 kB of it.
class OnAForgetfulServer : public OnAServer {
 protected:
  /// Runs large transactions; returns the report, and the slot's statistics as they were last.
  struct Seen {
    json report;
    std::uint64_t transactions = 0, bytes = 0;
  };
  Seen run_large_transactions(const json& consumer, const std::string& counters) {
    WalstormRun run(config({phase("large", 4, 3000)},
                           {{"database", {{"url", url_of(forgetful_)}}},
                            {"producer", {{"batchSize", 1000}, {"writeMode", "copy"}, {"connections", 2}}},
                            {"consumer", consumer}}));
    Observer observer(forgetful_);
    Seen seen;
    bool any = false;
    run.wait_until([&] {
      const auto row = observer.look(counters);
      if (row) {
        seen.transactions = (*row)[0].as<std::uint64_t>();
        seen.bytes = (*row)[1].as<std::uint64_t>();
      }
      any = any || row;
      return any && !row;
    });
    expect_clean_run(run);
    seen.report = run.metrics()["phases"][0];
    return seen;
  }

  postgres::PrivateServer forgetful_{
      loop_,
      {{"logical_decoding_work_mem", "64kB"}, {"max_slot_wal_keep_size", "2GB"}},
      logs_.path() / "forgetful.log"};
};

TEST_F(OnAForgetfulServer, SpilledTransactionsAreCountedAsTheServerCountsThem) {
  const Seen seen = run_large_transactions(json::object(), "spill_txns, spill_bytes");
  const json& postgres = seen.report["postgres"];
  EXPECT_GT(postgres["spilledBytes"], 1'000'000);
  EXPECT_EQ(postgres["spilledBytes"], seen.bytes);
  EXPECT_EQ(postgres["spilledTransactions"], seen.transactions);
  EXPECT_EQ(postgres["streamedBytes"], 0);
  EXPECT_THAT(postgres["safeWalBytesMin"].get<double>(), AllOf(Ge(1e9), Le(2.2e9)));
}

TEST_F(OnAForgetfulServer, StreamedTransactionsAreCountedAsTheServerCountsThem) {
  const Seen seen =
      run_large_transactions({{"protoVersion", 2}, {"streaming", "on"}}, "stream_txns, stream_bytes");
  const json& postgres = seen.report["postgres"];
  EXPECT_GT(postgres["streamedBytes"], 1'000'000);
  EXPECT_EQ(postgres["streamedBytes"], seen.bytes);
  EXPECT_EQ(postgres["streamedTransactions"], seen.transactions);
}

}  // namespace
}  // namespace walstorm::tests
