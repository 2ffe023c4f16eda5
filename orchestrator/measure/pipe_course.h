#pragma once

#include <cstdint>
#include <optional>

#include "orchestrator/measure/count_curve.h"

namespace walstorm::measure {

/// A stretch in which records waited and none was acknowledged; seconds since the load began.
struct Standstill {
  double from_sec = 0, to_sec = 0;
  bool to_the_end = false;  ///< of the load
  double waiting = 0;       ///< records, at its end

  [[nodiscard]] double seconds() const { return to_sec - from_sec; }
};

/// How a phase's records went through the pipe while the load was on, as far as the counters tell.
///
/// The lag at a moment is how long ago the records were committed that are acknowledged then; each figure is
/// the least of a stretch, because what a pipe comes back to says more than what it goes through: a stall, a
/// batch that waits to be full and noise all raise the lag for a while, an overload for good.
struct PipeCourse {
  /// In the load's first half, from its first acknowledgement on.
  std::optional<double> lag_early_sec;
  /// The least that is known of this pipe: lag_early_sec, or what an earlier phase showed.
  std::optional<double> lag_floor_sec;
  /// In the load's last third; from 60 % to 80 % of it; in its last tenth, or a little more of a short one.
  std::optional<double> lag_return_sec, lag_before_end_sec, lag_end_sec;
  /// Since when the lag stayed above where the pipe began, in seconds since the load began; nullopt when it
  /// came back at the end, or rose too late to tell a rate.
  std::optional<double> saturated_from_sec;
  /// Records per second from then on. Acknowledged: those of earlier phases included.
  std::optional<double> acknowledged_per_sec, produced_per_sec;
  /// The longest one; nullopt when there was none.
  std::optional<Standstill> standstill;
};

/// Records committed and acknowledged of this phase, and acknowledged since the run began.
struct CourseCurves {
  CountCurve produced, acknowledged, run_acknowledged;
};

/// The course of a load from `from_unix_us` to `to_unix_us`. `floor_before_sec`: the least lag of earlier
/// phases; `usual_sec`: how long a record takes when none waits before it, which that floor is raised to, for
/// what a sink takes to answer may well grow with the load. Nothing is known of an empty window or curve.
[[nodiscard]] PipeCourse course_within(const CourseCurves& curves, double from_unix_us, double to_unix_us,
                                       std::optional<double> floor_before_sec, double usual_sec);

/// A lag that is no higher than this above its floor has come back to it: 1 % of the load, a share of what an
/// overload of 5 % adds in a third of it, but no less than Samples of once a second can resolve.
[[nodiscard]] double lag_margin_sec(double load_sec);

/// A lag that ends higher than this above where it began has grown: 2.5 % of the load, half of what an
/// overload of 5 % adds, the finest that a minute resolves (TRAPS, Measuring 7).
[[nodiscard]] double lag_rise_sec(double load_sec);

}  // namespace walstorm::measure
