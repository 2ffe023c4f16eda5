#include "orchestrator/clickhouse/private_server.h"

#include <csignal>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>

#include "orchestrator/clickhouse/session.h"
#include "proto/wire/error.h"
#include "tests/support/clickhouse.h"
#include "tests/support/scripted_clickhouse.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::clickhouse {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;
using std::chrono::seconds;
using testing::HasSubstr;

class PrivateClickhouse : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_CLICKHOUSE(); }

  process::EventLoop loop_;
  tests::TemporaryFolder logs_;
  const fs::path log_ = logs_.path() / "clickhouse.log";
};

TEST_F(PrivateClickhouse, AnswersAndIsGoneWithItsFolder) {
  fs::path folder;
  pid_t pid = 0;
  {
    const PrivateServer server(loop_, log_);
    folder = server.folder();
    pid = server.pid();
    Session session(loop_, server.address(), "test");
    EXPECT_EQ(session.ask("add", {.sql = "SELECT 40 + 2"}, seconds(10), 0), (Rows{{"42"}}));
    EXPECT_EQ(server.failure(), "");
    EXPECT_TRUE(fs::exists(folder / "config.xml"));
  }
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(PrivateClickhouse, LetsNobodyInWithoutThePassword) {
  const PrivateServer server(loop_, log_);
  for (const char* user : {"default", "walstorm", ""}) {
    Address address = server.address();
    address.user = user;
    address.password = "";
    Session session(loop_, address, "test");
    try {
      (void)session.ask("add", {.sql = "SELECT 1"}, seconds(10), 0);
      ADD_FAILURE() << "let in \"" << user << "\"";
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("user and password in clickhouse.url"));
    }
  }
}

TEST_F(PrivateClickhouse, TakesAnotherPortWhenItsOwnWasTaken) {
  boost::asio::io_context io;
  const tcp::acceptor taken(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  const std::uint16_t port = taken.local_endpoint().port();
  const PrivateServer server(loop_, log_, find_clickhouse_server(), port);
  EXPECT_NE(server.address().port, port);
}

TEST_F(PrivateClickhouse, SendsNoKeyToWhoeverTookItsPort) {
  // Answers every request with status 200.
  const tests::ScriptedClickhouse other;
  const PrivateServer server(loop_, log_, find_clickhouse_server(), other.port());
  EXPECT_NE(server.address().port, other.port());
  for (const tests::SeenRequest& request : other.requests()) {
    EXPECT_FALSE(request.headers.contains("x-clickhouse-key"));
    EXPECT_FALSE(request.headers.contains("x-clickhouse-user"));
    EXPECT_EQ(request.body, "");
  }
}

TEST_F(PrivateClickhouse, TwoStandSideBySide) {
  const PrivateServer one(loop_, log_);
  const PrivateServer other(loop_, logs_.path() / "other.log", find_clickhouse_server(), one.address().port);
  EXPECT_NE(one.address().port, other.address().port);
  EXPECT_NE(one.folder(), other.folder());
}

TEST_F(PrivateClickhouse, SaysHowItEnded) {
  PrivateServer server(loop_, log_);
  ASSERT_EQ(::kill(server.pid(), SIGKILL), 0);
  ASSERT_EQ(loop_.wait(seconds(10), 0, [&] { return !server.failure().empty(); }), process::Waited::done);
  EXPECT_THAT(server.failure(), HasSubstr("the private ClickHouse ended: signal 9"));
}

TEST_F(PrivateClickhouse, AProgramThatDoesNotStartIsShownWithItsLastWords) {
  const fs::path program = logs_.path() / "clickhouse-server";
  std::ofstream(program) << "#!/bin/sh\necho no such luck >&2\nexit 7\n";
  fs::permissions(program, fs::perms{0755});
  try {
    const PrivateServer server(loop_, log_, {program, {}});
    ADD_FAILURE() << "started";
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("exit code 7"));
    EXPECT_THAT(error.what(), HasSubstr("no such luck"));
  }
}

TEST_F(PrivateClickhouse, EndsWithItsMakerWhoseFolderIsStaleThen) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t maker = ::fork();
  if (maker == 0) {
    process::EventLoop loop;
    const PrivateServer server(loop, log_);
    const std::string line = std::to_string(server.pid()) + " " + server.folder().string() + "\n";
    if (::write(ready[1], line.data(), line.size()) < 0) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  ::close(ready[1]);
  std::string line;
  for (char c = 0; ::read(ready[0], &c, 1) == 1 && c != '\n';) line += c;
  ::close(ready[0]);
  ASSERT_EQ(::kill(maker, SIGKILL), 0);
  ::waitpid(maker, nullptr, 0);
  std::istringstream fields(line);
  pid_t pid = 0;
  fs::path folder;
  fields >> pid >> folder;
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(tests::comes_true(loop_, seconds(10), [&] { return tests::is_gone(pid); }));
  EXPECT_THAT(process::stale_folders(folder.parent_path()), testing::Contains(folder));
  process::remove_stale_folders(folder.parent_path());
  EXPECT_FALSE(fs::exists(folder));
}

}  // namespace
}  // namespace walstorm::clickhouse
