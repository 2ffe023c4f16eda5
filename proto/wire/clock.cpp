#include "proto/wire/clock.h"

#include <chrono>
#include <cstdlib>
#include <limits>

namespace walstorm::wire {
namespace {

/// Two clocks cannot be read at once: the reading with the least time around it is taken, of so many.
constexpr int kReadings = 5;
constexpr std::int64_t kSetByUsMin = 5'000;

}  // namespace

std::int64_t SystemClock::steady_us() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::int64_t SystemClock::unix_us() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::int64_t EvenClock::wall_ahead_of_steady_us() const {
  std::int64_t ahead_us = 0;
  std::int64_t around_us = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kReadings; ++i) {
    const std::int64_t before_us = under_.steady_us();
    const std::int64_t wall_us = under_.unix_us();
    const std::int64_t after_us = under_.steady_us();
    if (after_us - before_us >= around_us) continue;
    around_us = after_us - before_us;
    ahead_us = wall_us - before_us - around_us / 2;
  }
  return ahead_us;
}

std::int64_t EvenClock::wall_set_by_us() const {
  const std::int64_t by_us = wall_ahead_of_steady_us() - wall_ahead_us_;
  return std::abs(by_us) < kSetByUsMin ? 0 : by_us;
}

}  // namespace walstorm::wire
