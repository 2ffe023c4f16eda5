#include "orchestrator/run/workers.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

#include "orchestrator/fleet/command_launcher.h"
#include "orchestrator/fleet/local_launcher.h"
#include "orchestrator/process/program_path.h"
#include "proto/wire/error.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::run {
namespace {

using process::Waited;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Role = WorkerProcess::Role;

/// Runs the scripted worker (tests/support/scripted_worker.cpp) as one would run a real one.
class ScriptedWorker : public testing::Test {
 protected:
  ScriptedWorker() { std::signal(SIGPIPE, SIG_IGN); }  // as every main of ours does
  ~ScriptedWorker() override {
    ::unsetenv("WALSTORM_TEST_SCRIPT");
    ::unsetenv("WALSTORM_TEST_STUBBORN");
  }

  WorkerProcess& start(const std::string& script,
                       const fleet::Launcher& launcher = fleet::LocalLauncher(process::Variables::needed),
                       const std::vector<std::string>& variables = {}) {
    ::setenv("WALSTORM_TEST_SCRIPT", script.c_str(), 1);
    worker_ = std::make_unique<WorkerProcess>(
        loop_, Role::producer, "producer-0", launcher, folder_.path() / "producer-0.log",
        [this](const WorkerProcess&, const proto::MetricsFrame& frame) { frames_.push_back(frame); },
        variables);
    return *worker_;
  }

  void send_setup() {
    proto::ControlFrame frame;
    frame.mutable_setup();
    worker_->send(frame);
  }

  /// Whether a process was started with that variable.
  static bool has_variable(pid_t pid, const std::string& variable) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/environ");
    for (std::string each; std::getline(in, each, '\0');) {
      if (each == variable) return true;
    }
    return false;
  }

  std::string failure_of(const std::string& script) {
    start(script);
    send_setup();
    EXPECT_EQ(loop_.wait(seconds(20), 0, [this] { return !worker_->failure().empty(); }), Waited::done)
        << script;
    return worker_->failure();
  }

  process::EventLoop loop_;
  tests::TemporaryFolder folder_;
  std::vector<proto::MetricsFrame> frames_;
  std::unique_ptr<WorkerProcess> worker_;
};

TEST_F(ScriptedWorker, AnswersSetupWithHello) {
  start("");
  send_setup();
  ASSERT_EQ(loop_.wait(seconds(20), 0, [this] { return !frames_.empty(); }), Waited::done);
  EXPECT_EQ(worker_->pid(), static_cast<pid_t>(frames_[0].hello().pid()));
  EXPECT_TRUE(worker_->failure().empty());
}

TEST_F(ScriptedWorker, ThatExitsIsReportedWithItsCode) {
  EXPECT_EQ(failure_of("setup:exit=7"), "producer-0 ended: exit code 7");
}

TEST_F(ScriptedWorker, ThatIsKilledIsReportedWithTheSignal) {
  EXPECT_EQ(failure_of("setup:raise=9"), "producer-0 ended: signal 9");
}

TEST_F(ScriptedWorker, ThatExitsWithCodeZeroUntoldHasFailedToo) {
  EXPECT_EQ(failure_of("start:exit=0"), "producer-0 ended: exit code 0");
}

TEST_F(ScriptedWorker, ThatDiesInMidFrameIsReported) {
  EXPECT_EQ(failure_of("setup:half_frame"),
            "producer-0 broke its pipe: end of file in the middle of a frame");
}

TEST_F(ScriptedWorker, ThatTalksNonsenseIsReported) {
  EXPECT_EQ(failure_of("setup:nonsense"), "producer-0 sent 4 bytes that are no metrics frame");
}

TEST_F(ScriptedWorker, ThatSendsAnImpossibleLengthIsReported) {
  EXPECT_NE(failure_of("setup:oversized").find("producer-0 broke its pipe: a frame's length"),
            std::string::npos);
}

TEST_F(ScriptedWorker, ThatClosesItsPipeAndStaysIsReported) {
  EXPECT_EQ(failure_of("setup:close_pipe"), "producer-0 closed its pipe but did not end");
}

TEST_F(ScriptedWorker, ThatSaysWhyItFailsIsQuoted) {
  EXPECT_EQ(failure_of("setup:refuse"), "producer-0 failed in setup: refused as scripted");
}

TEST_F(ScriptedWorker, FloodsAreTakenInWhole) {
  start("setup:flood=20000");
  send_setup();
  ASSERT_EQ(loop_.wait(seconds(60), 0, [this] { return frames_.size() == 20'001; }), Waited::done)
      << frames_.size();
}

TEST_F(ScriptedWorker, IsStartedWithItsOwnVariables) {
  start("", fleet::LocalLauncher(process::Variables::needed), {"WALSTORM_TEST_EXTRA=1"});
  send_setup();
  ASSERT_EQ(loop_.wait(seconds(20), 0, [this] { return !frames_.empty(); }), Waited::done);
  EXPECT_TRUE(has_variable(*worker_->pid(), "WALSTORM_TEST_EXTRA=1"));
}

/// The scripted worker by a command of the user's. The shell of kStays outlives it, as ssh and srun do.
class LaunchedWorker : public ScriptedWorker {
 protected:
  static constexpr const char* kBecomes = "exec \"$0\" \"$@\"";
  static constexpr const char* kStays = "\"$0\"; exit $?";

  WorkerProcess& launch(const std::string& script, const char* shell_command) {
    return start(script, fleet::CommandLauncher({"sh", "-c", shell_command, "{program}"}, "here",
                                                process::own_folder()));
  }
  void await_hello() {
    send_setup();
    ASSERT_EQ(loop_.wait(seconds(20), 0, [this] { return !frames_.empty(); }), Waited::done);
  }
  /// The process that its script runs in: it is gone when this can be opened no more.
  [[nodiscard]] static bool is_there(pid_t pid) { return ::kill(pid, 0) == 0; }
};

TEST_F(LaunchedWorker, SpeaksOverStdinAndStdoutAlone) {
  for (const char* shell_command : {kBecomes, kStays}) {
    frames_.clear();
    launch("", shell_command);
    EXPECT_EQ(worker_->pid(), std::nullopt) << "the child's says nothing of the worker";
    await_hello();
    EXPECT_EQ(worker_->pid(), static_cast<pid_t>(frames_[0].hello().pid()));
    worker_->stop();
    ASSERT_EQ(loop_.wait(seconds(20), 0, [this] { return worker_->ended().has_value(); }), Waited::done);
    EXPECT_TRUE(worker_->ended()->ok());
    EXPECT_EQ(worker_->failure(), "");
  }
}

/// What profiles a worker from within is no affair of ssh's, and would not reach what ssh starts.
TEST_F(LaunchedWorker, IsStartedWithoutTheWorkersOwnVariables) {
  start("", fleet::CommandLauncher({"sh", "-c", kStays, "{program}"}, "here", process::own_folder()),
        {"WALSTORM_TEST_EXTRA=1"});
  await_hello();
  EXPECT_FALSE(has_variable(*worker_->pid(), "WALSTORM_TEST_EXTRA=1"));
}

TEST_F(LaunchedWorker, ElsewhereHasNoProcessIdHere) {
  launch("setup:elsewhere", kStays);
  await_hello();
  EXPECT_EQ(frames_[0].hello().host(), "elsewhere");
  EXPECT_EQ(worker_->pid(), std::nullopt);
}

TEST_F(LaunchedWorker, FailsAsItsCommandEnds) {
  launch("setup:exit=7", kStays);
  send_setup();
  ASSERT_EQ(loop_.wait(seconds(20), 0, [this] { return !worker_->failure().empty(); }), Waited::done);
  EXPECT_EQ(worker_->failure(), "producer-0 ended: exit code 7");
}

TEST_F(LaunchedWorker, IsInAGroupOfItsOwnThatSignalsGoTo) {
  launch("stop:silent", kStays);
  await_hello();
  const auto worker = static_cast<pid_t>(frames_[0].hello().pid());
  EXPECT_NE(::getpgid(worker), ::getpgid(0)) << "a Ctrl-C does not reach it";
  EXPECT_NE(::getpgid(worker), worker) << "the shell is still there";
  worker_->stop();
  worker_->send_signal(SIGTERM);
  EXPECT_EQ(loop_.wait(seconds(20), 0, [&] { return worker_->ended() && !is_there(worker); }), Waited::done);
}

TEST_F(LaunchedWorker, GoesWithItsObject) {
  ::setenv("WALSTORM_TEST_STUBBORN", "1", 1);
  launch("stop:silent", kStays);
  await_hello();
  const auto worker = static_cast<pid_t>(frames_[0].hello().pid());
  ASSERT_TRUE(is_there(worker));
  worker_.reset();
  EXPECT_EQ(loop_.wait(seconds(20), 0, [&] { return !is_there(worker); }), Waited::done);
}

/// The group: each worker is the scripted one under the name that Workers looks for, beside a link to this
/// test.
class WorkersTest : public ScriptedWorker {
 protected:
  std::vector<std::string> stop_with(const std::string& script) {
    ::setenv("WALSTORM_TEST_SCRIPT", script.c_str(), 1);
    Workers workers(loop_, std::make_unique<fleet::LocalLauncher>(process::Variables::needed), folder_.path(),
                    [](const WorkerProcess&, const proto::MetricsFrame&) {});
    workers.start(Role::producer, "producer-0");
    workers.start(Role::consumer, "consumer-0");
    proto::ControlFrame setup;
    setup.mutable_setup();
    workers.send_to(Role::producer, setup);
    workers.send_to(Role::consumer, setup);
    return workers.stop(milliseconds(300));
  }
};

TEST_F(WorkersTest, StopWithTheFrameAlone) {
  EXPECT_TRUE(stop_with("").empty());
}

TEST_F(WorkersTest, StopThoseThatACommandStarted) {
  ::setenv("WALSTORM_TEST_SCRIPT", "stop:silent", 1);
  Workers workers(loop_,
                  std::make_unique<fleet::CommandLauncher>(std::vector<std::string>{"env", "{program}"}, "",
                                                           process::own_folder()),
                  folder_.path(), [](const WorkerProcess&, const proto::MetricsFrame&) {});
  workers.start(Role::producer, "producer-0");
  EXPECT_EQ(workers.stop(milliseconds(300)),
            (std::vector<std::string>{"producer-0 did not end when told to: sent SIGTERM"}));
}

TEST_F(WorkersTest, StopBySigtermWhereTheFrameIsIgnored) {
  EXPECT_EQ(stop_with("stop:silent"),
            (std::vector<std::string>{"producer-0 did not end when told to: sent SIGTERM",
                                      "consumer-0 did not end when told to: sent SIGTERM"}));
}

TEST_F(WorkersTest, StopBySigkillWhereNothingElseHelps) {
  ::setenv("WALSTORM_TEST_STUBBORN", "1", 1);
  const auto notes = stop_with("stop:silent");
  ASSERT_EQ(notes.size(), 4U);
  EXPECT_EQ(notes.back(), "consumer-0 did not end when told to: sent SIGKILL");
}

TEST_F(WorkersTest, AwaitEndsWithAWorkersFailureLongBeforeTheDeadline) {
  ::setenv("WALSTORM_TEST_SCRIPT", "start:exit=9", 1);
  Workers workers(loop_, std::make_unique<fleet::LocalLauncher>(process::Variables::needed), folder_.path(),
                  [](const WorkerProcess&, const proto::MetricsFrame&) {});
  workers.start(Role::producer, "producer-0");
  try {
    workers.await("wait for nothing", std::chrono::hours(1), 0, [] { return false; });
    FAIL() << "did not throw";
  } catch (const wire::Error& error) {
    EXPECT_STREQ(error.what(), "producer-0 ended: exit code 9");
  }
}

TEST_F(WorkersTest, AwaitHasADeadlineForASilentWorker) {
  ::setenv("WALSTORM_TEST_SCRIPT", "start:silent", 1);
  Workers workers(loop_, std::make_unique<fleet::LocalLauncher>(process::Variables::needed), folder_.path(),
                  [](const WorkerProcess&, const proto::MetricsFrame&) {});
  workers.start(Role::producer, "producer-0");
  EXPECT_THROW(workers.await("wait for Hello", milliseconds(100), 0, [] { return false; }), wire::Error);
  EXPECT_TRUE(workers.failure().empty());
  EXPECT_EQ(workers.failure(milliseconds(1)).substr(0, 26), "producer-0 has been silent");
}

}  // namespace
}  // namespace walstorm::run
