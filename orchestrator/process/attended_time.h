#pragma once

#include <algorithm>
#include <chrono>

namespace walstorm::process {

/// The time in which a loop has looked at what comes in.
///
/// Steady time, but of a stretch without a look (the process was stopped, its machine was paused, something
/// took long) no more than kLookEvery counts. Whoever waits for somebody's answer counts in it: that nothing
/// was heard while nobody listened says nothing about the other one.
class AttendedTime final {
 public:
  using Clock = std::chrono::steady_clock;
  /// A loop that has nothing to do looks at least so often.
  static constexpr std::chrono::milliseconds kLookEvery{1000};

  explicit AttendedTime(Clock::time_point now) : last_look_(now) {}

  void look(Clock::time_point now) {
    attended_ += std::clamp<Clock::duration>(now - last_look_, Clock::duration::zero(), kLookEvery);
    last_look_ = now;
  }
  /// Since this object was made, up to the last look.
  [[nodiscard]] Clock::duration passed() const { return attended_; }

 private:
  Clock::time_point last_look_;
  Clock::duration attended_{0};
};

}  // namespace walstorm::process
