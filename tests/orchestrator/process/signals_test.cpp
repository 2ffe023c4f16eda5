#include "orchestrator/process/signals.h"

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <memory>

#include "orchestrator/process/event_loop.h"

namespace walstorm::process {
namespace {

using std::chrono::seconds;

int interrupts_after(EventLoop& loop, const std::vector<int>& signals) {
  const int before = loop.interrupts();
  for (const int signal : signals) {
    std::raise(signal);
    // One that was delivered before another is handled before it.
    (void)loop.wait(std::chrono::milliseconds(200), loop.interrupts(), [] { return false; });
  }
  return loop.interrupts() - before;
}

class IgnoredAtTheStart : public testing::Test {
 protected:
  IgnoredAtTheStart() {
    std::signal(SIGHUP, SIG_IGN);
    loop_ = std::make_unique<EventLoop>();
  }
  ~IgnoredAtTheStart() override {
    loop_.reset();
    std::signal(SIGHUP, SIG_DFL);
  }
  std::unique_ptr<EventLoop> loop_;
};

TEST_F(IgnoredAtTheStart, StaysIgnored) {
  EXPECT_EQ(interrupts_after(*loop_, {SIGHUP}), 0);
  EXPECT_EQ(interrupts_after(*loop_, {SIGINT}), 1);
}

TEST(Signals, ThatWouldEndTheProcessAskForItsEnd) {
  for (const int signal :
       {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGPOLL,
        SIGPWR, SIGABRT, SIGTRAP, SIGSYS, SIGSTKFLT, SIGRTMIN, SIGRTMAX}) {
    EventLoop loop;
    std::raise(signal);
    EXPECT_EQ(loop.wait(seconds(20), 0, [] { return false; }), Waited::interrupted) << signal;
  }
}

TEST(Signals, OfAPersonCountEachTimeAndThoseOfATimerOnce) {
  EventLoop loop;
  EXPECT_EQ(interrupts_after(loop, {SIGINT, SIGINT}), 2);
  EXPECT_EQ(interrupts_after(loop, {SIGXCPU, SIGXCPU, SIGXCPU}), 1);
}

TEST(Signals, OfEveryKindButThoseForStoppingAndFaultsAreTreated) {
  // What ends a process by default (signal(7)), SIGKILL, faults and what a mere write raises left out.
  const auto ending = ending_signals();
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGPOLL,
                           SIGPROF, SIGSYS, SIGTRAP, SIGVTALRM, SIGXCPU, SIGSTKFLT, SIGPWR}) {
    EXPECT_NE(std::find(ending.begin(), ending.end(), signal), ending.end()) << signal;
  }
  for (const int signal :
       {SIGKILL, SIGSTOP, SIGTSTP, SIGCONT, SIGCHLD, SIGSEGV, SIGPIPE, SIGXFSZ, SIGWINCH}) {
    EXPECT_EQ(std::find(ending.begin(), ending.end(), signal), ending.end()) << signal;
  }
}

}  // namespace
}  // namespace walstorm::process
