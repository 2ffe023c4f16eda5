#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "orchestrator/measure/fold/phase_fold.h"

namespace walstorm::measure::test {

inline constexpr std::int64_t kStartUnixUs = 1'700'000'000'000'000;
inline constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// What real pipes do beside what they were told: all drawn from `seed`.
struct Roughness {
  std::uint64_t seed = 0;
  /// The sink stands still at random (a Poisson process), for random times (exponential).
  double stall_every_sec = 0, stall_mean_sec = 0;
  /// Records are acknowledged together, once in so long.
  double flush_every_sec = 0;
  /// The sink's capacity wanders: the standard deviation as a share of it, and how long it remembers.
  double capacity_noise = 0, capacity_memory_sec = 1;
  /// The latency is up to so much longer (a half-normal deviation, as a share).
  double latency_noise = 0;
  /// Samples are taken so much too early or too late, and this share of them never arrives.
  double sample_jitter_sec = 0, sample_loss = 0;

  /// The sink's capacity at each step of 10 ms of so many seconds, as a share of what it is told to be.
  [[nodiscard]] std::vector<double> capacity_course(double seconds) const;
};

/// A producer, a sink and what lies between them, simulated in steps of 10 ms, whose frames a PhaseFold
/// folds: no clocks, no processes. Rates are records per second.
struct SimulatedPipe {
  config::Load load = config::ConstantLoad{5000};
  double duration_sec = 60;
  double producer_capacity = kUnlimited;
  double sink_capacity = kUnlimited;
  double latency_sec = 0.15;                    ///< from commit to acknowledgement of a pipe that keeps up
  double stall_from_sec = 0, stall_to_sec = 0;  ///< the sink takes nothing in between
  double drain_timeout_sec = 10;
  std::optional<double> producer_dies_at_sec = {};
  /// Which Samples the orchestrator gets to see; all unless told.
  std::function<bool(std::uint64_t sequence)> sample_arrives = [](std::uint64_t) { return true; };
  CarryOver carry_over = {};
  Roughness roughness = {};

  /// A pipe under `rate` records/s, which is `share` of what its sink could take in this very window, stalls
  /// and noise counted in.
  [[nodiscard]] static SimulatedPipe under(double share, double rate, double duration_sec,
                                           const Roughness& roughness);

  /// Runs the phase; the fold is as the orchestrator has it when the drain has ended. `on_second` sees each
  /// second.
  [[nodiscard]] PhaseFold run(const std::function<void(const Second&)>& on_second = nullptr) const;

  /// run(), with the fold as it is at each second.
  [[nodiscard]] PhaseFold run_watched(
      const std::function<void(const PhaseFold&, const Second&)>& on_second) const;

  /// run() and settle.
  [[nodiscard]] PhaseReport report() const;
};

}  // namespace walstorm::measure::test
