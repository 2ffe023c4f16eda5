#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "orchestrator/process/proc_activity.h"
#include "orchestrator/profile/doctor/window.h"
#include "proto/metrics.pb.h"
#include "proto/wire/histogram.h"

namespace walstorm::profile::doctor {

/// What a worker's settings allow; 0: not known, or no consumer.
struct Allowed {
  double flushes = 0;
  double buffered_bytes = 0;
};

/// A worker at one moment. Counts are cumulative: of the process since it started, of a frame since the phase
/// began.
struct Reading {
  std::int64_t at_us = 0;     ///< by the orchestrator's steady clock
  std::int64_t taken_us = 0;  ///< by the worker's own clock
  std::optional<process::ProcActivity> process;

  wire::Histogram loop_delay_us;
  std::uint64_t loop_elapsed_us = 0;
  std::optional<std::uint64_t> loop_asleep_us;

  std::uint64_t records = 0;
  std::optional<double> flushes_in_flight, buffered_bytes;
  wire::Histogram flush_us, receive_us;
  std::vector<std::uint64_t> connection_busy_us;
};

/// What a frame tells. Throws Error{protocol} for buckets that do not add up.
[[nodiscard]] Reading reading_of(const proto::Sample& frame);
[[nodiscard]] Reading reading_of(const proto::PhaseResult& frame);

/// Makes windows of one worker's readings, in one phase. Pure.
///
/// Readings come once a second; two that are closer than half of that become one window, so that no rate is
/// of a moment. A phase of hours keeps a bounded number: after each kWindowsPerLength the windows' length
/// doubles.
class WindowFold final {
 public:
  static constexpr std::int64_t kLengthUsMin = 500'000;
  static constexpr std::size_t kWindowsPerLength = 3600;

  explicit WindowFold(const Allowed& allowed) : allowed_(allowed) {}

  /// The phase begins for this worker.
  void begin(const Reading& reading);
  [[nodiscard]] bool begun() const { return first_.has_value(); }
  /// Throws Error{protocol} when a cumulative figure went backwards. Ignored before begin().
  void take(const Reading& reading);

  [[nodiscard]] const std::vector<Window>& windows() const { return windows_; }

 private:
  [[nodiscard]] std::int64_t length_us_min() const;
  [[nodiscard]] Window window_up_to(const Reading& now) const;

  const Allowed allowed_;
  std::optional<Reading> first_, last_;
  std::vector<Window> windows_;
};

}  // namespace walstorm::profile::doctor
