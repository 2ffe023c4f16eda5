#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace walstorm::consumer {

/// When a server that behaves as told would answer a flush, and whether with an error. Pure arithmetic; times
/// are microseconds of one clock, as doubles, since a record's share of a second need not be whole.
///
/// The server takes in at most so many records per second, one flush after the other, and then needs its
/// delay and a random part of its jitter for the answer, any number of them at once. A flush that fails is
/// refused at the door: it is answered after delay and jitter as well, but takes nothing of what the server
/// can take in. During a stall the server stands still.
class MockSchedule final {
 public:
  /// A stretch of time, counted from start().
  struct Stall {
    double begin_us = 0;
    double end_us = 0;
  };
  struct Behaviour {
    double delay_us = 0;
    double jitter_us = 0;            ///< at most; evenly spread from 0
    double error_rate = 0;           ///< share of attempts that fail
    double records_per_sec_max = 0;  ///< 0: no limit
    std::vector<Stall> stalls = {};  ///< in any order; they may overlap
    std::uint64_t seed = 1;          ///< of jitter and errors
  };
  struct Answer {
    double at_us = 0;
    bool failed = false;
  };

  explicit MockSchedule(const Behaviour& behaviour);

  /// Stalls count from `now_us` on; before that there are none.
  void start(double now_us) { started_us_ = now_us; }

  /// The answer to a flush of `records` that arrives at `now_us`, which is never less than in the call
  /// before.
  [[nodiscard]] Answer answer(double now_us, std::uint64_t records);

 private:
  [[nodiscard]] double done_at_us(double from_us, double work_us) const;
  [[nodiscard]] double random_share();

  double delay_us_;
  double jitter_us_;
  double error_rate_;
  double record_us_;
  std::vector<Stall> stalls_;     // by time, none touching another
  std::size_t stalls_ended_ = 0;  // those at the front
  std::optional<double> started_us_;
  double busy_until_us_ = 0;
  std::mt19937_64 random_;
};

}  // namespace walstorm::consumer
