#pragma once

#include <chrono>
#include <cstdint>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "proto/metrics.pb.h"
#include "proto/wire/histogram.h"

namespace walstorm::wire {

/// How long this thread has slept in the calls that a loop waits by, since it was asked to count. Only
/// programs that are linked with loop_sleep.cpp count anything.
struct SleepCount {
  bool on = false;
  std::uint64_t slept_ns = 0;
  std::uint64_t times = 0;
};

/// This thread's.
[[nodiscard]] SleepCount& sleep_count();

/// Watches an event loop from inside while a phase is on: a beat on the loop itself, that tells how late the
/// loop is, and the time it sleeps. Costs a timer of 10 ms, and two clock readings each time the loop waits;
/// nothing per record. Lives on the loop, which outlives it.
class LoopWatch final {
 public:
  static constexpr std::chrono::milliseconds kBeat{10};

  explicit LoopWatch(boost::asio::io_context& loop) : timer_(loop) {}
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;
  ~LoopWatch() { end_phase(); }

  /// Counts from zero.
  void begin_phase();
  /// Counts no more.
  void end_phase();
  /// Since the phase began. Call it on the loop's thread.
  void fill(proto::LoopStats& stats) const;

 private:
  void await_beat();

  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point began_;
  SleepCount slept_before_;
  Histogram delay_us_;
  bool on_ = false;
};

/// Records beats of every `beat_us` that were due at `due_us` and later and are handled at `now_us`: each
/// with its own delay, those that were missed too. Returns when the next one is due, after `now_us`. Pure.
[[nodiscard]] std::int64_t record_beats(Histogram& delay_us, std::int64_t due_us, std::int64_t now_us,
                                        std::int64_t beat_us);

}  // namespace walstorm::wire
