// The libpq connection that all programs share, on a real server.

#include "proto/postgres/connection.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/postgres/private_server.h"
#include "proto/postgres/lent_socket.h"
#include "tests/support/servers.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::postgres {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kTimeout{20'000};

class LibpqConnection : public testing::Test {
 protected:
  [[nodiscard]] std::string conninfo(const std::string& database = "postgres") const {
    return server_.address().conninfo(database, "test");
  }
  [[nodiscard]] static Deadline deadline() { return Deadline::clock::now() + kTimeout; }

  /// What a statement is refused with.
  static Refused refusal_of(Connection& connection, const std::string& sql) {
    try {
      connection.send(sql);
      (void)await([&] { return connection.socket(); }, [&] { return connection.receive(); }, deadline());
    } catch (const Refused& refused) {
      return refused;
    }
    return Refused("was taken");
  }

  process::EventLoop loop_;
  tests::TemporaryFolder logs_;
  PrivateServer server_{loop_, {}, logs_.path() / "postgres.log"};
};

TEST_F(LibpqConnection, IsRefusedWithTheServersSqlstateAndOnOneLine) {
  try {
    (void)open(conninfo("nowhere"), {}, kTimeout);
    FAIL() << "was let in";
  } catch (const Refused& refused) {
    EXPECT_EQ(refused.sqlstate(), "3D000");
    EXPECT_THAT(refused.what(),
                AllOf(HasSubstr("FATAL: database \"nowhere\" does not exist"), Not(HasSubstr("LOCATION")),
                      Not(HasSubstr("3D000")), Not(HasSubstr("\n"))));
  }
}

TEST_F(LibpqConnection, IsRefusedWithoutASqlstateWhereNobodyAnswers) {
  const auto nobody = fmt::format("host=127.0.0.1 port={} user=x dbname=x", tests::free_port());
  try {
    (void)open(nobody, {}, kTimeout);
    FAIL() << "was let in";
  } catch (const Refused& refused) {
    EXPECT_EQ(refused.sqlstate(), "");
    EXPECT_THAT(refused.what(), HasSubstr("refused"));
  }
}

TEST_F(LibpqConnection, TakesFixedKeywordsBeforeTheStringAndDefaultsBehindIt) {
  Connection connection(conninfo() + " client_encoding=LATIN1", {{"application_name", "fixed"}}, {},
                        {{"client_encoding", "UTF8"}});
  ASSERT_TRUE(await([&] { return connection.socket(); }, [&] { return connection.connect(); }, deadline()));
  EXPECT_EQ(ask(connection, "SHOW application_name", deadline()), "fixed");
  EXPECT_EQ(ask(connection, "SHOW client_encoding", deadline()), "LATIN1");
}

TEST_F(LibpqConnection, OutlivesARefusedStatementButNotItsBackend) {
  Connection connection = open(conninfo(), {}, kTimeout);
  const Refused by_zero = refusal_of(connection, "SELECT 1/0");
  EXPECT_EQ(by_zero.sqlstate(), "22012");
  EXPECT_TRUE(connection.is_open());
  EXPECT_EQ(ask(connection, "SELECT 7", deadline()), "7");
  EXPECT_EQ(refusal_of(connection, "SELECT pg_terminate_backend(pg_backend_pid())").sqlstate(), "57P01");
  EXPECT_EQ(ask(connection, "SELECT 7", deadline()), std::nullopt);
}

TEST_F(LibpqConnection, IsOpenedAndAskedOnALoopThatGoesOn) {
  Connection connection(conninfo());
  LentSocket socket(loop_.io());
  bool asked = false;
  bool answered = false;
  const std::function<void()> advance = [&] {
    auto wants = asked ? connection.receive() : connection.connect();
    if (!wants && !std::exchange(asked, true)) {
      connection.send("SELECT $1 || $2", {"it's ", "one"});
      wants = connection.receive();
    }
    if (wants) return socket.wait(connection.socket(), *wants, advance);
    answered = true;
  };
  advance();
  EXPECT_FALSE(answered) << "it waited";
  ASSERT_EQ(loop_.wait(kTimeout, 0, [&] { return answered; }), process::Waited::done);
  ASSERT_TRUE(connection.has_row());
  EXPECT_EQ(connection.field(0), "it's one");
}

TEST_F(LibpqConnection, IsNotCalledForAfterItsSocketWasTakenBack) {
  Connection connection = open(conninfo(), {}, kTimeout);
  LentSocket socket(loop_.io());
  int calls = 0;
  socket.wait(connection.socket(), Wants::write, [&] { calls += 1; });
  socket.release();
  socket.wait(connection.socket(), Wants::write, [&] { calls += 10; });
  ASSERT_EQ(loop_.wait(kTimeout, 0, [&] { return calls >= 10; }), process::Waited::done);
  EXPECT_EQ(calls, 10);
  EXPECT_EQ(ask(connection, "SELECT 7", deadline()), "7") << "the loop has not closed it";
}

}  // namespace
}  // namespace walstorm::postgres
