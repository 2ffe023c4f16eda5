#pragma once

#include <chrono>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace walstorm::process {

/// How a wait ended.
enum class Waited { done, timed_out, interrupted };

/// Thrown by a step whose wait a person broke off.
struct Interrupted {};

/// The orchestrator's one loop, and the person at the keyboard.
///
/// A run is a sequence of steps, so the orchestrator is written as one: each step starts something and then
/// waits here, turning the loop, until the answer is in, the deadline passes, or Ctrl-C is pressed. Counts
/// SIGINT, SIGTERM and SIGHUP alike. One per process; lives on the main thread.
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
  [[nodiscard]] Waited wait(std::chrono::milliseconds timeout, int interrupts_tolerated,
                            const std::function<bool()>& done);

 private:
  void await_signal();

  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  int interrupts_ = 0;
};

}  // namespace walstorm::process
