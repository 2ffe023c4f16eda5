// Sessions whose server goes away and comes back.

#include "orchestrator/postgres/session.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "orchestrator/postgres/query.h"
#include "orchestrator/postgres/replication_setup.h"
#include "proto/wire/error.h"
#include "tests/support/restartable_server.h"

namespace walstorm::postgres {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

int one(pqxx::connection& connection) {
  return query_row(connection, "SELECT 1")[0].as<int>();
}

class SessionOfALostServer : public testing::Test {
 protected:
  [[nodiscard]] std::string conninfo() const {
    return server_.address().conninfo("postgres", "walstorm-test");
  }

  std::optional<wire::Error> failure_of(Session& session) {
    try {
      (void)session.ask<int>("ask", 30s, 0, one);
    } catch (const wire::Error& error) {
      return error;
    }
    return std::nullopt;
  }

  /// A job's end.
  struct Outcome {
    bool arrived = false;
    std::exception_ptr error;
  };
  static auto into(Outcome& outcome) {
    return [&outcome](std::exception_ptr error) {
      outcome.error = std::move(error);
      outcome.arrived = true;
    };
  }

  process::EventLoop loop_;
  tests::RestartableServer server_{loop_};
};

TEST_F(SessionOfALostServer, NextJobHasANewConnection) {
  Session session(loop_, conninfo(), "test");
  EXPECT_FALSE(failure_of(session));
  server_.stop(SIGQUIT);
  EXPECT_EQ(failure_of(session)->kind(), wire::ErrorKind::unavailable);
  server_.start();
  server_.wait_until_ready();
  EXPECT_FALSE(failure_of(session));
}

TEST_F(SessionOfALostServer, WorksWithoutTheTimeLimitsOfItsRole) {
  Session session(loop_,
                  conninfo() +
                      " options='-c statement_timeout=7s -c lock_timeout=6s -c "
                      "idle_in_transaction_session_timeout=5s -c idle_session_timeout=4s'",
                  "test");
  const auto limits = session.ask<
      std::string>("look at the limits", 30s, 0, [](pqxx::connection& connection) {
    return query_row(
               connection,
               "SELECT string_agg(name || ' ' || setting, ', ' ORDER BY name) FROM pg_settings WHERE name "
               "IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', "
               "'idle_session_timeout')")[0]
        .as<std::string>();
  });
  EXPECT_EQ(
      limits,
      "idle_in_transaction_session_timeout 0, idle_session_timeout 0, lock_timeout 0, statement_timeout 0");
}

TEST_F(SessionOfALostServer, JobThatWasCancelledIsRunAgainWhereItAskedForIt) {
  Session patient(loop_, conninfo(), "test", {60s, nullptr});
  std::atomic<int> runs = 0;
  const auto cancelled_once = [&runs](pqxx::connection& connection) {
    return query_row(connection, runs++ == 0 ? "SELECT pg_cancel_backend(pg_backend_pid())::int, pg_sleep(60)"
                                             : "SELECT 1")[0]
        .as<int>();
  };
  EXPECT_EQ(patient.ask<int>("ask", 30s, 0, cancelled_once, Session::WhenLost::retry), 1);
  EXPECT_EQ(runs, 2);
  runs = 0;
  EXPECT_THROW((void)patient.ask<int>("ask", 30s, 0, cancelled_once), wire::Error);
}

TEST_F(SessionOfALostServer, JobThatAskedForItIsRunUntilTheServerIsBack) {
  Session session(loop_, conninfo(), "test", {60s, nullptr});
  EXPECT_FALSE(failure_of(session));
  server_.stop(SIGQUIT);
  Outcome outcome;
  std::atomic<int> runs = 0;
  session.submit(
      [&runs](pqxx::connection& connection) {
        ++runs;
        (void)one(connection);
      },
      into(outcome), Session::WhenLost::retry);
  EXPECT_EQ(loop_.wait(500ms, 0, [&] { return outcome.arrived; }), process::Waited::timed_out);
  server_.start();
  EXPECT_EQ(loop_.wait(30s, 0, [&] { return outcome.arrived; }), process::Waited::done);
  EXPECT_FALSE(outcome.error);
  EXPECT_GE(runs, 2);
}

TEST_F(SessionOfALostServer, RefusedJobIsNotRunAgain) {
  Session session(loop_, conninfo(), "test", {60s, nullptr});
  std::atomic<int> runs = 0;
  const auto job = [&runs](pqxx::connection& connection) {
    ++runs;
    return query_row(connection, "SELECT 1 / 0")[0].as<int>();
  };
  EXPECT_THROW((void)session.ask<int>("ask", 30s, 0, job, Session::WhenLost::retry), wire::Error);
  EXPECT_EQ(runs, 1);
}

TEST_F(SessionOfALostServer, RunsLockIsTakenAgainBeforeAnythingElse) {
  Session session(loop_, conninfo(), "test", {60s, lock_database});
  const auto lock = [](pqxx::connection& connection) {
    lock_database(connection);
    return true;
  };
  (void)session.ask<bool>("lock", 30s, 0, lock);
  server_.stop(SIGINT);
  server_.start();
  server_.wait_until_ready();
  const auto in_transaction = [](pqxx::connection& connection) {
    pqxx::work work(connection);
    return query_row(work, "SELECT 1")[0].as<int>();
  };
  EXPECT_EQ(session.ask<int>("ask", 30s, 0, in_transaction, Session::WhenLost::retry), 1);
  Session other(loop_, conninfo(), "other run");
  try {
    (void)other.ask<bool>("lock", 30s, 0, lock);
    FAIL() << "two runs in one database";
  } catch (const wire::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("another walstorm run"));
  }
}

TEST_F(SessionOfALostServer, GivenUpItWaitsForNothingMore) {
  Session session(loop_, conninfo(), "test", {3600s, nullptr});
  EXPECT_FALSE(failure_of(session));
  server_.stop(SIGQUIT);
  Outcome waiting;
  session.submit([](pqxx::connection& connection) { (void)one(connection); }, into(waiting),
                 Session::WhenLost::retry);
  EXPECT_EQ(loop_.wait(500ms, 0, [&] { return waiting.arrived; }), process::Waited::timed_out);
  session.give_up();
  EXPECT_EQ(loop_.wait(30s, 0, [&] { return waiting.arrived; }), process::Waited::done);
  EXPECT_TRUE(waiting.error);
}

}  // namespace
}  // namespace walstorm::postgres
