#include "orchestrator/process/child_process.h"

#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/process/proc_stat.h"
#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::process {
namespace {

using std::chrono::seconds;

class ChildProcessTest : public testing::Test {
 protected:
  ChildOptions shell(const std::string& script) const {
    ChildOptions options;
    options.program = "/bin/sh";
    options.arguments = {"-c", script};
    options.log_file = folder_.path() / "log";
    return options;
  }

  tests::TemporaryFolder folder_;
  EventLoop loop_;
};

TEST_F(ChildProcessTest, TellsAnExitCodeFromASignal) {
  ChildProcess exits(loop_, shell("exit 7"));
  ChildProcess dies(loop_, shell("kill -9 $$"));
  ASSERT_EQ(loop_.wait(seconds(10), 0, [&] { return exits.ended() && dies.ended(); }), Waited::done);
  EXPECT_EQ(to_string(*exits.ended()), "exit code 7");
  EXPECT_EQ(to_string(*dies.ended()), "signal 9");
}

TEST_F(ChildProcessTest, CallsBackWhenItHasEnded) {
  bool called = false;
  ChildProcess child(loop_, shell("true"));
  child.on_end([&] { called = true; });
  ASSERT_EQ(loop_.wait(seconds(10), 0, [&] { return called; }), Waited::done);
  EXPECT_TRUE(child.ended()->ok());
}

TEST_F(ChildProcessTest, NeverOutlivesItsObject) {
  pid_t pid = 0;
  {
    ChildProcess child(loop_, shell("exec sleep 60"));
    pid = child.pid();
    ASSERT_TRUE(read_proc_stat(pid).has_value());
  }
  EXPECT_FALSE(read_proc_stat(pid).has_value());
}

TEST_F(ChildProcessTest, IsInAProcessGroupOfItsOwnSoThatCtrlCDoesNotReachIt) {
  ChildProcess child(loop_, shell("exec sleep 60"));
  EXPECT_EQ(::getpgid(child.pid()), child.pid());
  EXPECT_NE(::getpgid(child.pid()), ::getpgid(0));
}

TEST_F(ChildProcessTest, ReportsAProgramThatIsNotThere) {
  ChildOptions options = shell("");
  options.program = "/no/such/program";
  EXPECT_THROW(ChildProcess(loop_, options), wire::Error);
}

TEST_F(ChildProcessTest, RunToEndShowsTheLastLinesOfAFailure) {
  try {
    run_to_end(loop_, shell("echo the reason >&2; exit 3"), seconds(10));
    FAIL() << "did not throw";
  } catch (const wire::Error& error) {
    EXPECT_NE(std::string(error.what()).find("exit code 3"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("the reason"), std::string::npos) << error.what();
  }
}

TEST_F(ChildProcessTest, RunToEndHasADeadline) {
  EXPECT_THROW(run_to_end(loop_, shell("exec sleep 60"), std::chrono::milliseconds(50)), wire::Error);
}

TEST_F(ChildProcessTest, RunToEndThatIsInterruptedTakesItsChildsChildrenAlong) {
  const std::filesystem::path started = folder_.path() / "pid";
  boost::asio::steady_timer tick(loop_.io());
  pid_t grandchild = 0;
  std::function<void()> interrupt_once_started = [&] {
    tick.expires_after(std::chrono::milliseconds(10));
    tick.async_wait([&](const boost::system::error_code& error) {
      if (error) return;
      if (!(std::ifstream(started) >> grandchild)) return interrupt_once_started();
      ::raise(SIGINT);
    });
  };
  interrupt_once_started();
  EXPECT_THROW(run_to_end(loop_, shell("sleep 60 & echo $! >" + started.string() + "; wait"), seconds(30)),
               Interrupted);
  const auto stat = read_proc_stat(grandchild);
  EXPECT_FALSE(stat.has_value());
}

TEST(EventLoop, CountsInterruptsAndEndsOnlyTheWaitsThatDoNotTolerateThem) {
  EventLoop loop;
  ::raise(SIGINT);
  EXPECT_EQ(loop.wait(seconds(10), 0, [] { return false; }), Waited::interrupted);
  EXPECT_EQ(loop.wait(std::chrono::milliseconds(1), 1, [] { return false; }), Waited::timed_out);
  ::raise(SIGTERM);
  EXPECT_EQ(loop.wait(seconds(10), 1, [] { return false; }), Waited::interrupted);
  EXPECT_EQ(loop.interrupts(), 2);
}

TEST(ProcStat, SeesThisProcessAtWork) {
  const auto before = read_proc_stat(::getpid());
  ASSERT_TRUE(before.has_value());
  EXPECT_GT(before->rss_bytes, 1U << 20);
  EXPECT_GE(before->rss_max_bytes, before->rss_bytes);
  // Work until the kernel's clock tick has seen it.
  volatile unsigned sink = 0;
  auto now = before;
  for (int round = 0; round < 10'000 && now->cpu_user_us == before->cpu_user_us; ++round) {
    for (unsigned i = 0; i < 1'000'000; ++i) sink = sink + i;
    now = read_proc_stat(::getpid());
  }
  EXPECT_GT(now->cpu_user_us, before->cpu_user_us);
  EXPECT_FALSE(is_local_postgres(::getpid()));
}

TEST(ProcStat, KnowsSinceWhenAProcessRuns) {
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  EventLoop loop;
  ChildOptions options;
  options.program = "/bin/sleep";
  options.arguments = {"60"};
  options.log_file = "/dev/null";
  ChildProcess child(loop, options);
  const auto started_us = started_unix_us(child.pid());
  ASSERT_TRUE(started_us.has_value());
  EXPECT_GE(*started_us, now_us - 20'000);
  EXPECT_FALSE(is_local_backend(child.pid(), *started_us)) << "not a PostgreSQL's";
  EXPECT_EQ(started_unix_us(0), std::nullopt);
  child.send_signal(SIGKILL);
}

}  // namespace
}  // namespace walstorm::process
