#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

#include "orchestrator/measure/phase_fold.h"

namespace walstorm::measure::test {

inline constexpr std::int64_t kStartUnixUs = 1'700'000'000'000'000;
inline constexpr double kUnlimited = std::numeric_limits<double>::infinity();

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
  Carry carry = {};

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
