#pragma once

#include <algorithm>
#include <chrono>

namespace walstorm::consumer {

/// How long to wait before the next attempt: twice as long each time, up to a cap, and each wait somewhere
/// between half of it and all of it, so that many clients of one server do not come back in step. Pure.
class Backoff final {
 public:
  static constexpr std::chrono::milliseconds kFirst{50};
  static constexpr std::chrono::milliseconds kLast{2000};

  /// `share`: a random number from 0 to 1.
  [[nodiscard]] std::chrono::milliseconds next(double share) {
    const auto wait = step_ * (0.5 + 0.5 * share);
    step_ = std::min(step_ * 2, std::chrono::duration<double, std::milli>(kLast));
    return std::chrono::duration_cast<std::chrono::milliseconds>(wait);
  }

  void reset() { step_ = kFirst; }

 private:
  std::chrono::duration<double, std::milli> step_ = kFirst;
};

}  // namespace walstorm::consumer
