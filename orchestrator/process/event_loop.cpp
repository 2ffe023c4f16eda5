#include "orchestrator/process/event_loop.h"

#include <algorithm>

#include "orchestrator/process/signals.h"

namespace walstorm::process {
namespace {

/// So many handlers may have been waiting when the time of a wait was up.
constexpr int kWaitingHandlersMax = 1000;

}  // namespace

EventLoop::EventLoop() : attended_(AttendedTime::Clock::now()), signals_(io_) {
  for (const int signal : ending_signals()) signals_.add(signal);
  turn_sent_faults_into_requests();
  await_signal();
}

AttendedTime::Clock::duration EventLoop::attended() {
  attended_.look(AttendedTime::Clock::now());
  return attended_.passed();
}

void EventLoop::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (counted_.insert(signal).second || is_sent_by_a_person(signal)) ++interrupts_;
    await_signal();
  });
}

Waited EventLoop::wait(std::chrono::milliseconds timeout, int interrupts_tolerated,
                       const std::function<bool()>& done) {
  const auto deadline = attended() + timeout;
  int handled_late = 0;
  while (true) {
    if (done()) return Waited::done;
    if (interrupts_ > interrupts_tolerated) return Waited::interrupted;
    const auto left = deadline - attended();
    if (left > left.zero()) {
      // The pending signal wait keeps the loop from running out of work.
      io_.run_one_for(std::min<AttendedTime::Clock::duration>(left, AttendedTime::kLookEvery / 2));
    } else if (++handled_late > kWaitingHandlersMax || io_.poll_one() == 0) {
      // Judged only after what waits was read: a process that was stopped finds its answers in the pipes.
      return done() ? Waited::done : Waited::timed_out;
    }
  }
}

}  // namespace walstorm::process
