#pragma once

#include <algorithm>
#include <cstdint>

namespace walstorm::consumer {

/// When a server would answer that needs `delay_us` for a flush, any number of them at once, and that takes
/// in at most so many records per second, one flush after the other. Pure arithmetic; times are microseconds
/// of one clock, as doubles, since a record's share of a second need not be whole.
class MockSchedule final {
 public:
  /// `records_per_sec_max` 0: no limit.
  MockSchedule(double delay_us, double records_per_sec_max)
      : delay_us_(delay_us), record_us_(records_per_sec_max > 0 ? 1e6 / records_per_sec_max : 0) {}

  /// When the flush of `records` that arrives at `now_us` is answered. Never earlier than the one before.
  [[nodiscard]] double answer_at_us(double now_us, std::uint64_t records) {
    busy_until_us_ =
        std::max(busy_until_us_, now_us - kTimerSlackUs) + static_cast<double>(records) * record_us_;
    return std::max(busy_until_us_, now_us) + delay_us_;
  }

 private:
  /// Answers arrive as late as timers fire, and so does the next flush of a reader that waited for one. That
  /// much idleness is ours, not the server's: without it a capped mock would take in less than it was told
  /// to.
  static constexpr double kTimerSlackUs = 1000;

  double delay_us_;
  double record_us_;
  double busy_until_us_ = 0;
};

}  // namespace walstorm::consumer
