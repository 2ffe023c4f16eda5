#include "orchestrator/process/event_loop.h"

#include <csignal>

namespace walstorm::process {

EventLoop::EventLoop() : signals_(io_, SIGINT, SIGTERM, SIGHUP) {
  await_signal();
}

void EventLoop::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    ++interrupts_;
    await_signal();
  });
}

Waited EventLoop::wait(std::chrono::milliseconds timeout, int interrupts_tolerated,
                       const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    if (done()) return Waited::done;
    if (interrupts_ > interrupts_tolerated) return Waited::interrupted;
    // The pending signal wait keeps the loop from running out of work, so no event means that time is up.
    if (io_.run_one_until(deadline) == 0) return done() ? Waited::done : Waited::timed_out;
  }
}

}  // namespace walstorm::process
