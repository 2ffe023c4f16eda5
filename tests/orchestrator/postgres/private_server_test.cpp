#include "orchestrator/postgres/private_server.h"

#include <fstream>
#include <gtest/gtest.h>
#include <signal.h>

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "orchestrator/postgres/query.h"
#include "orchestrator/postgres/replication_setup.h"
#include "orchestrator/postgres/sampler.h"
#include "orchestrator/postgres/server_probe.h"
#include "orchestrator/postgres/session.h"
#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::postgres {
namespace {

using std::chrono::seconds;
namespace fs = std::filesystem;

int one(pqxx::connection& connection, const std::string& sql) {
  pqxx::nontransaction transaction(connection);
  return query_row(transaction, sql)[0].as<int>();
}

/// One private server for all tests of this file: starting one takes a second.
class OnPrivateServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new Shared;
    pqxx::connection connection(conninfo());
    create_database(connection, "walstorm_test");
  }
  static void TearDownTestSuite() {
    const fs::path folder = shared_->server.folder();
    delete shared_;
    EXPECT_FALSE(fs::exists(folder));
  }

  static std::string conninfo(const std::string& database = "postgres") {
    return shared_->server.address().conninfo(database, "walstorm-test");
  }

  struct Shared {
    process::EventLoop loop;
    tests::TemporaryFolder logs;
    PrivateServer server{loop, {{"wal_sender_timeout", "7s"}}, logs.path() / "postgres.log"};
  };
  static Shared* shared_;
};

OnPrivateServer::Shared* OnPrivateServer::shared_ = nullptr;

TEST_F(OnPrivateServer, IsReadyForReplicationAndTakesSettings) {
  pqxx::connection connection(conninfo());
  const ServerFacts facts = inspect_server(connection);
  EXPECT_EQ(facts.settings.at("wal_level"), "logical");
  EXPECT_EQ(facts.wal_sender_timeout_ms, 7000U);
  EXPECT_GE(facts.version_number, 140000);
}

TEST_F(OnPrivateServer, CreatingADatabaseTwiceIsFine) {
  pqxx::connection connection(conninfo());
  create_database(connection, "walstorm_test");
  create_database(connection, "walstorm_test");
}

TEST_F(OnPrivateServer, OneRunAtATimeHasTheDatabase) {
  pqxx::connection first(conninfo("walstorm_test"));
  lock_database(first);
  pqxx::connection second(conninfo("walstorm_test"));
  EXPECT_THROW(lock_database(second), wire::Error);
  pqxx::connection elsewhere(conninfo());
  lock_database(elsewhere);
}

TEST_F(OnPrivateServer, LeavesAnotherDatabasesSlotAlone) {
  pqxx::connection owner(conninfo("walstorm_test"));
  create_slot(owner, "a_slot");
  pqxx::connection elsewhere(conninfo());
  EXPECT_THROW((void)drop_slot(elsewhere, "a_slot", seconds(5)), wire::Error);
  EXPECT_TRUE(drop_slot(owner, "a_slot", seconds(5)));
}

TEST_F(OnPrivateServer, PreparesAnEmptyTableWhateverWasThere) {
  pqxx::connection connection(conninfo("walstorm_test"));
  prepare_table(connection, config::ReplicaIdentity::full, "walstorm_pub", "");
  {
    pqxx::work transaction(connection);
    transaction.exec(
        "INSERT INTO \"TaskRun\" SELECT 'r' || i, 'f', 't', 'PENDING', 'o', 'p', 'e', 'q', '{}', 'j', NULL, "
        "NULL, "
        "'{}', 't', 's', NULL, 1, false, 0, 0, 0, now(), now(), NULL, NULL, h "
        "FROM (VALUES (1, 9223372036854775807), (2, 9223372036854775807), (3, -5)) v(i, h)");
    transaction.commit();
  }
  const wire::RowTally tally = tally_rows(connection);
  EXPECT_EQ(tally.rows, 3U);
  EXPECT_EQ(tally.hash_xor, static_cast<std::uint64_t>(-5));
  EXPECT_EQ(tally.hash_sum, 9223372036854775807U * 2U + static_cast<std::uint64_t>(-5));
  prepare_table(connection, config::ReplicaIdentity::full, "walstorm_pub", "");
  EXPECT_EQ(tally_rows(connection), wire::RowTally{});
  pqxx::nontransaction transaction(connection);
  EXPECT_EQ(query_row(transaction, "SELECT relreplident FROM pg_class WHERE relname = 'TaskRun'")[0]
                .as<std::string>(),
            "f");
}

TEST_F(OnPrivateServer, PreparesThePrismaSchemaThatTheDatabaseLacks) {
  const Address address =
      Address::parse("postgresql://walstorm@/app?schema=jobs&host=" + shared_->server.folder().string());
  pqxx::connection connection(address.conninfo("walstorm_test", "walstorm-test"));
  prepare_table(connection, config::ReplicaIdentity::full, "walstorm_pub", address.schema());
  pqxx::nontransaction transaction(connection);
  EXPECT_EQ(
      query_row(
          transaction,
          "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = '\"TaskRun\"'::regclass")[0]
          .as<std::string>(),
      "jobs");
}

TEST_F(OnPrivateServer, DropsASlotAlsoWhenAWalsenderHoldsIt) {
  pqxx::connection connection(conninfo("walstorm_test"));
  EXPECT_FALSE(drop_slot(connection, "walstorm_slot_test", seconds(5)));
  prepare_table(connection, config::ReplicaIdentity::full, "walstorm_pub", "");
  create_slot(connection, "walstorm_slot_test");
  process::ChildOptions reader;
  reader.program = find_postgres_binaries() / "pg_recvlogical";
  reader.arguments = {"-d",      conninfo("walstorm_test"),
                      "--slot",  "walstorm_slot_test",
                      "--start", "-f",
                      "-",       "-n",
                      "-o",      "proto_version=1",
                      "-o",      "publication_names=walstorm_pub"};
  reader.log_file = shared_->logs.path() / "reader.log";
  process::ChildProcess child(shared_->loop, reader);
  pqxx::nontransaction transaction(connection);
  for (int tries = 0; tries < 200; ++tries) {
    if (query_row(transaction,
                  "SELECT active FROM pg_replication_slots WHERE slot_name = 'walstorm_slot_test'")[0]
            .as<bool>())
      break;
    transaction.exec("SELECT pg_sleep(0.05)");
  }
  ASSERT_TRUE(query_row(transaction,
                        "SELECT active FROM pg_replication_slots WHERE slot_name = 'walstorm_slot_test'")[0]
                  .as<bool>());
  pqxx::connection other(conninfo("walstorm_test"));
  EXPECT_TRUE(drop_slot(other, "walstorm_slot_test", seconds(10)));
  EXPECT_EQ(query_row(transaction, "SELECT count(*) FROM pg_replication_slots")[0].as<int>(), 0);
}

TEST_F(OnPrivateServer, SessionReturnsResultsAndTranslatesErrors) {
  Session session(shared_->loop, conninfo(), "test session");
  const int answer = session.ask<int>(
      "add", seconds(10), 0, [](pqxx::connection& connection) { return one(connection, "SELECT 40 + 2"); });
  EXPECT_EQ(answer, 42);
  try {
    (void)session.ask<int>("fail", seconds(10), 0, [](pqxx::connection& connection) {
      return one(connection, "SELECT no_such_column");
    });
    FAIL() << "did not throw";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::data);
    EXPECT_NE(std::string(error.what()).find("42703"), std::string::npos) << error.what();
  }
}

TEST_F(OnPrivateServer, SessionGivesUpAHangingQueryAtItsDeadline) {
  Session session(shared_->loop, conninfo(), "test session");
  const auto sleep = [](pqxx::connection& connection) {
    pqxx::nontransaction(connection).exec("SELECT pg_sleep(60)");
    return 0;
  };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW((void)session.ask<int>("sleep", std::chrono::milliseconds(200), 0, sleep), wire::Error);
  EXPECT_THROW((void)session.ask<int>("sleep", seconds(50), 0, sleep), wire::Error);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(20));
}

TEST_F(OnPrivateServer, ABackendOfAnotherServerWithALocalOnesPidIsNotLocal) {
  pqxx::connection connection(conninfo());
  ServerProbe probe = probe_server(connection, "walstorm_profiling", "no_such_slot");
  EXPECT_EQ(local_data_folder(probe), std::filesystem::path(probe.data_directory));
  // That pid is one of a PostgreSQL here, but began at another time than the server says that its own did.
  probe.backend_start_unix_us -= 60'000'000;
  EXPECT_EQ(local_data_folder(probe), std::nullopt);
  probe.backend_start_unix_us = 0;  // it does not say
  EXPECT_EQ(local_data_folder(probe), std::nullopt);
}

TEST_F(OnPrivateServer, SamplerSeesTheHeadAndTheBackendsButNoWalsender) {
  Session session(shared_->loop, conninfo(), "sampler");
  std::optional<ServerSample> seen;
  Sampler sampler(session, "no_such_slot", "postgres", "walstorm-test",
                  [&](const ServerSample& sample) { seen = sample; });
  sampler.look();
  ASSERT_EQ(shared_->loop.wait(seconds(10), 0, [&] { return seen.has_value(); }), process::Waited::done);
  EXPECT_TRUE(seen->head.has_value());
  EXPECT_FALSE(seen->sent.has_value());
  EXPECT_FALSE(seen->confirmed.has_value());
  EXPECT_TRUE(seen->walsender.empty());
  ASSERT_FALSE(seen->backends.empty());
  EXPECT_GT(seen->backends[0].used.rss_bytes, 1U << 20);
}

}  // namespace
}  // namespace walstorm::postgres
