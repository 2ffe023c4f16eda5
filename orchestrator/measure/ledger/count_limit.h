#pragma once

#include <chrono>
#include <cstdint>

namespace walstorm::measure {

/// How long a server may take to count and sum so many rows before it is given up.
///
/// Both servers read all of them, and ClickHouse puts versions together (FINAL): some 100,000 rows/s on one
/// old core with a cold disk, ten million on a good one. A tenth of the slowest is not waiting any more.
[[nodiscard]] inline std::chrono::seconds count_limit(std::uint64_t rows) {
  constexpr std::uint64_t kLeastSec = 900;
  constexpr std::uint64_t kRowsPerSec = 10'000;
  constexpr std::uint64_t kMostSec = std::uint64_t{24} * 3600;
  const std::uint64_t sec = kLeastSec + rows / kRowsPerSec;
  return std::chrono::seconds(sec < kMostSec ? sec : kMostSec);
}

}  // namespace walstorm::measure
