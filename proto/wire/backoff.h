#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

namespace walstorm::wire {

/// How long to wait before trying again: twice as long after each failure, up to a limit, and of that a
/// random share between half and all, so that those who failed together do not come back together. Pure.
class Backoff final {
 public:
  struct Limits {
    std::int64_t first_us = 100'000;
    std::int64_t max_us = 5'000'000;
  };

  Backoff(const Limits& limits, std::uint64_t seed) : limits_(limits), random_(seed) {}

  /// After so many failures in a row. Without one there is nothing to wait for.
  [[nodiscard]] std::int64_t wait_us(std::uint64_t failures) {
    if (failures == 0) return 0;
    std::int64_t wait_us = limits_.first_us;
    for (; failures > 1 && wait_us < limits_.max_us; --failures) wait_us *= 2;
    wait_us = std::min(wait_us, limits_.max_us);
    return std::uniform_int_distribution<std::int64_t>(wait_us / 2, wait_us)(random_);
  }

 private:
  Limits limits_;
  std::mt19937_64 random_;
};

/// Of workers that have lost PostgreSQL: one way for all, as it is the same server that they come back to.
inline constexpr Backoff::Limits kReconnect{.first_us = 50'000, .max_us = 2'000'000};

}  // namespace walstorm::wire
