#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "producer/random.h"

namespace walstorm::producer {

/// The waits before the attempts to reach a server again: none before the first, then from 50 ms, doubling,
/// up to 2 s, each shortened at random by up to half, so that connections lost together do not come back
/// together.
class Backoff final {
 public:
  explicit Backoff(Random random) : random_(random) {}

  [[nodiscard]] std::chrono::milliseconds next() {
    const std::int64_t longest_ms = next_ms_;
    next_ms_ = longest_ms == 0 ? kFirstMs : std::min(kLongestMs, 2 * longest_ms);
    const auto half = static_cast<std::uint64_t>(longest_ms / 2);
    return std::chrono::milliseconds(longest_ms - static_cast<std::int64_t>(random_.next_below(half + 1)));
  }

 private:
  static constexpr std::int64_t kFirstMs = 50;
  static constexpr std::int64_t kLongestMs = 2000;

  Random random_;
  std::int64_t next_ms_ = 0;
};

}  // namespace walstorm::producer
