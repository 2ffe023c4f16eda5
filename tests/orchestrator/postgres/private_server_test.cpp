#include "orchestrator/postgres/private_server.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <signal.h>
#include <string>

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "orchestrator/postgres/own_database.h"
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
using testing::AllOf;
using testing::HasSubstr;
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

/// A session that waits for a lock which `holder` has.
class OnALockedTable : public OnPrivateServer {
 protected:
  OnALockedTable() : holder_(conninfo()), lock_(holder_) {
    lock_.exec("CREATE TABLE IF NOT EXISTS locked ()");
    lock_.commit();
    again_.emplace(holder_);
    again_->exec("LOCK TABLE locked");
  }

  static int wait_for_it(pqxx::connection& connection) {
    lock_database(connection);
    return one(connection, "SELECT count(*) FROM locked");
  }
  int sessions_of(const std::string& application) {
    pqxx::connection look(conninfo());
    return one(look, "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + application + "'");
  }
  int walstorm_locks() {
    pqxx::connection look(conninfo());
    return one(look, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
  }

  pqxx::connection holder_;
  pqxx::work lock_;
  std::optional<pqxx::work> again_;
};

TEST_F(OnALockedTable, SessionThatIsNotAnsweredSaysWhoHoldsTheLockAndLeavesNothingOnTheServer) {
  Session session(shared_->loop, shared_->server.address().conninfo("postgres", "walstorm-waits"),
                  "test session");
  try {
    (void)session.ask<int>("count", seconds(1), 0, wait_for_it);
    FAIL() << "was answered";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("no answer from PostgreSQL within 1 s: its session waits for a lock "
                                "that process " +
                                std::to_string(holder_.backendpid())),
                      HasSubstr("application \"walstorm-test\""), HasSubstr("idle in transaction"),
                      HasSubstr("SELECT pg_terminate_backend(")));
  }
  EXPECT_EQ(sessions_of("walstorm-waits"), 0);
  EXPECT_EQ(walstorm_locks(), 0);
}

TEST_F(OnALockedTable, SessionThatIsLeftOrGivenUpLeavesNothingOnTheServer) {
  for (const bool give_up : {false, true}) {
    {
      Session session(shared_->loop, shared_->server.address().conninfo("postgres", "walstorm-waits"),
                      "test");
      session.submit([](pqxx::connection& connection) { (void)wait_for_it(connection); },
                     [](const std::exception_ptr&) {});
      for (int tries = 0; tries < 1000 && walstorm_locks() == 0; ++tries) {
      }
      ASSERT_EQ(walstorm_locks(), 1);
      if (give_up) session.give_up();
    }
    EXPECT_EQ(sessions_of("walstorm-waits"), 0);
    EXPECT_EQ(walstorm_locks(), 0);
  }
}

TEST_F(OnPrivateServer, WhoHoldsTheLockIsLookedUpBeforeAnyoneIsBlamed) {
  pqxx::connection pooler(shared_->server.address().conninfo("walstorm_test", "pgbouncer"));
  lock_database(pooler);
  pqxx::connection second(conninfo("walstorm_test"));
  try {
    lock_database(second);
    FAIL() << "it had the lock";
  } catch (const wire::Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("is held by process " + std::to_string(pooler.backendpid())),
                      HasSubstr("application \"pgbouncer\""), HasSubstr("not a walstorm run's")));
  }
}

TEST_F(OnPrivateServer, ABackendOfAnotherServerWithALocalOnesPidIsNotLocal) {
  const Address& address = shared_->server.address();
  Session session(shared_->loop, address.conninfo("postgres", "walstorm-test"), "test session");
  ServerProbe probe = probe_server(session, address, "postgres", config::Config{});
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

TEST(PrivateServer, SaysWhatATemporaryFolderMayNotBe) {
  const tests::TemporaryFolder temp;
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  process::EventLoop loop;
  for (const auto& [name, says] : std::map<std::string, std::string>{
           {"with,comma", "has a comma"}, {std::string(100, 'x'), "is longer than the 107 characters"}}) {
    fs::create_directory(temp.path() / name);
    ::setenv("TMPDIR", (temp.path() / name).c_str(), 1);
    try {
      const PrivateServer server(loop, {}, temp.path() / "postgres.log");
      ADD_FAILURE() << name << " is taken";
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("set TMPDIR to another folder"), std::string::npos)
          << error.what();
    }
    EXPECT_TRUE(fs::is_empty(temp.path() / name));
  }
  if (before != nullptr) {
    ::setenv("TMPDIR", kept.c_str(), 1);
  } else {
    ::unsetenv("TMPDIR");
  }
}

}  // namespace
}  // namespace walstorm::postgres
