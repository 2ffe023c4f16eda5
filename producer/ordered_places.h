#pragma once

#include <cmath>
#include <cstdint>

#include "producer/rows/random.h"

namespace walstorm::producer {

/// A number of independent places, uniform between 0 and 1, in ascending order: one after another, whatever
/// their number, in a few bytes.
///
/// Of n places that are left, the smallest leaves the n-th root of a uniform number of the way ahead of it.
/// The logarithm of what is left is kept, which loses no digits near 1. A copy goes on by itself.
class OrderedPlaces final {
 public:
  OrderedPlaces(Random random, std::uint64_t places) : random_(random), left_(places) { advance(); }

  /// The place that it stands at; 1 behind the last one.
  [[nodiscard]] double place() const { return at_end_ ? 1 : -std::expm1(log_ahead_); }

  void advance() {
    at_end_ = left_ == 0;
    if (at_end_) return;
    // 53 random bits and a half: never 0, never 1.
    const double uniform = (static_cast<double>(random_.next() >> 11) + 0.5) * 0x1p-53;
    log_ahead_ += std::log(uniform) / static_cast<double>(left_--);
  }

 private:
  Random random_;
  std::uint64_t left_;
  double log_ahead_ = 0;
  bool at_end_ = false;
};

}  // namespace walstorm::producer
