#include "proto/wire/clock.h"

#include <chrono>

namespace walstorm::wire {

std::int64_t SystemClock::steady_us() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::int64_t SystemClock::unix_us() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace walstorm::wire
