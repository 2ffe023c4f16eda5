#pragma once

#include <optional>

#include "orchestrator/measure/count_curve.h"

namespace walstorm::measure {

/// How a phase's records went through the pipe while the load was on, as far as the counters tell.
struct PipeCourse {
  /// How long ago the records acknowledged at a moment were committed: the least that this was in the
  /// window's first half, and in its last third. A pipe that keeps up comes back to its floor; one that does
  /// not, not.
  std::optional<double> lag_floor_early_sec, lag_floor_late_sec;
  /// Records per second in the window's second half. Acknowledged: those of earlier phases included.
  std::optional<double> produced_late_per_sec, acknowledged_late_per_sec;
  /// Share of the window's Samples in which as many flushes were under way as are allowed; nullopt when the
  /// allowance is not known.
  std::optional<double> flushes_full_share;
};

/// All but flushes_full_share. Curves: records committed and acknowledged of this phase, and acknowledged
/// since the run began. Nothing is known of an empty window or curve.
[[nodiscard]] PipeCourse course_within(const CountCurve& produced, const CountCurve& acknowledged,
                                       const CountCurve& run_acknowledged, double from_unix_us,
                                       double to_unix_us);

}  // namespace walstorm::measure
