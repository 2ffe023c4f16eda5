#pragma once

#include <cstdint>

namespace walstorm::wire {

/// Microseconds between 1970-01-01 and PostgreSQL's epoch, 2000-01-01 (src/include/datatype/timestamp.h).
inline constexpr std::int64_t kPostgresEpochUnixUs = 946'684'800'000'000;

/// Where time comes from. Code that decides by time takes a Clock or a time, so that tests can say what time
/// it is.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Microseconds since an arbitrary start; never goes back. For durations and deadlines.
  [[nodiscard]] virtual std::int64_t steady_us() const = 0;

  /// Microseconds since 1970. For comparing with another process's or server's clock, and for reports.
  [[nodiscard]] virtual std::int64_t unix_us() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t steady_us() const override;
  [[nodiscard]] std::int64_t unix_us() const override;
};

/// Time as a test says: both clocks stand still until moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t unix_start_us = 1'700'000'000'000'000) : unix_us_(unix_start_us) {}

  void advance_us(std::int64_t by_us) {
    steady_us_ += by_us;
    unix_us_ += by_us;
  }

  [[nodiscard]] std::int64_t steady_us() const override { return steady_us_; }
  [[nodiscard]] std::int64_t unix_us() const override { return unix_us_; }

 private:
  std::int64_t steady_us_ = 0;
  std::int64_t unix_us_;
};

}  // namespace walstorm::wire
