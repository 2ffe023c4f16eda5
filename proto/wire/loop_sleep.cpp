// What the linker puts in the place of epoll_wait() and nanosleep() (--wrap, see ld(1)). Boost.Asio has no
// hook around its own wait, and from outside a loop that works and one that waits for a CPU look like one
// that does not sleep: so the wait itself is timed.

#include <chrono>
#include <ctime>
#include <sys/epoll.h>

#include "proto/wire/loop_watch.h"

namespace {

/// Counts the time until it is destroyed, where that is asked for.
class Sleeping final {
 public:
  Sleeping() : count_(walstorm::wire::sleep_count()) {
    if (count_.on) began_ = Clock::now();
  }
  Sleeping(const Sleeping&) = delete;
  Sleeping& operator=(const Sleeping&) = delete;
  ~Sleeping() {
    if (!count_.on) return;
    const std::chrono::nanoseconds slept = Clock::now() - began_;
    count_.slept_ns += static_cast<std::uint64_t>(slept.count());
    ++count_.times;
  }

 private:
  using Clock = std::chrono::steady_clock;

  walstorm::wire::SleepCount& count_;
  Clock::time_point began_;
};

}  // namespace

// The linker gives these names.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
extern "C" {

int __real_epoll_wait(int descriptor, epoll_event* events, int events_max, int timeout_ms);
int __real_nanosleep(const timespec* time, timespec* rest);

int __wrap_epoll_wait(int descriptor, epoll_event* events, int events_max, int timeout_ms) {
  if (timeout_ms == 0) return __real_epoll_wait(descriptor, events, events_max, timeout_ms);
  const Sleeping until_it_returns;
  return __real_epoll_wait(descriptor, events, events_max, timeout_ms);
}

int __wrap_nanosleep(const timespec* time, timespec* rest) {
  const Sleeping until_it_returns;
  return __real_nanosleep(time, rest);
}
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming)
