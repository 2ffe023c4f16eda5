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

/// Wall clock times that nobody sets: from one follow() to the next they go on as the steady clock does, so
/// that the difference of any two of them is time that has passed. For all that is told of one phase.
class EvenClock final : public Clock {
 public:
  /// `under` outlives it.
  explicit EvenClock(const Clock& under) : under_(under) { follow(); }

  /// From now on as the wall clock underneath shows the time.
  void follow() { wall_ahead_us_ = wall_ahead_of_steady_us(); }

  [[nodiscard]] std::int64_t steady_us() const override { return under_.steady_us(); }
  [[nodiscard]] std::int64_t unix_us() const override { return unix_at(steady_us()); }
  /// What unix_us() is when the steady clock shows `steady_us`.
  [[nodiscard]] std::int64_t unix_at(std::int64_t steady_us) const { return steady_us + wall_ahead_us_; }

  /// By how much the wall clock underneath was set since follow(); below 0: back. 0 within a few
  /// milliseconds, which a busy machine may take between two readings.
  [[nodiscard]] std::int64_t wall_set_by_us() const;

 private:
  [[nodiscard]] std::int64_t wall_ahead_of_steady_us() const;

  const Clock& under_;
  std::int64_t wall_ahead_us_ = 0;
};

/// Time as a test says: both clocks stand still until moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t unix_start_us = 1'700'000'000'000'000) : unix_us_(unix_start_us) {}

  void advance_us(std::int64_t by_us) {
    steady_us_ += by_us;
    unix_us_ += by_us;
  }

  /// As when somebody sets the wall clock.
  void step_us(std::int64_t by_us) { unix_us_ += by_us; }

  [[nodiscard]] std::int64_t steady_us() const override { return steady_us_; }
  [[nodiscard]] std::int64_t unix_us() const override { return unix_us_; }

 private:
  std::int64_t steady_us_ = 0;
  std::int64_t unix_us_;
};

}  // namespace walstorm::wire
