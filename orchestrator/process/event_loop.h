#pragma once

#include <chrono>
#include <functional>
#include <set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "orchestrator/process/attended_time.h"

namespace walstorm::process {

/// How a wait ended.
enum class Waited { done, timed_out, interrupted };

/// Thrown by a step whose wait a person broke off.
struct Interrupted {};

/// The orchestrator's one loop, and the person at the keyboard.
///
/// A run is a sequence of steps, so the orchestrator is written as one: each step starts something and then
/// waits here, turning the loop, until the answer is in, the deadline passes, or Ctrl-C is pressed. Every
/// signal that would end the process counts as one (signals.h). One per process; lives on the main thread.
class EventLoop final {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  [[nodiscard]] boost::asio::io_context& io() { return io_; }

  /// Interrupts so far: 1 asks to end the run early, 2 to end it now.
  [[nodiscard]] int interrupts() const { return interrupts_; }

  /// Turns the loop until `done` holds (tried before waiting and after every event), `timeout` passes, or
  /// more than `interrupts_tolerated` interrupts have come in.
  ///
  /// `timeout` is in attended time: a standstill of this process costs the others nothing, and what had
  /// arrived meanwhile is read before the time is called up.
  [[nodiscard]] Waited wait(std::chrono::milliseconds timeout, int interrupts_tolerated,
                            const std::function<bool()>& done);

  /// The time in which this loop has listened, since it was made.
  [[nodiscard]] AttendedTime::Clock::duration attended();

 private:
  void await_signal();

  boost::asio::io_context io_{1};
  AttendedTime attended_;
  boost::asio::signal_set signals_;
  std::set<int> counted_;  // signals that came in
  int interrupts_ = 0;
};

}  // namespace walstorm::process
