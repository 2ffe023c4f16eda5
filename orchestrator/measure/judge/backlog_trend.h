#pragma once

#include <optional>

#include "orchestrator/measure/figures/count_curve.h"
#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

/// Records committed and acknowledged of this phase, and acknowledged since the run began.
struct BacklogCurves {
  CountCurve produced, acknowledged, run_acknowledged;
};

/// How the backlog of a load developed from `from_unix_us` to `to_unix_us`. `floor_before_sec`: the least lag
/// of earlier phases; `usual_sec`: how long a record takes when none waits before it, which that floor is
/// raised to, for what a sink takes to answer may well grow with the load. Nothing is known of an empty
/// window or curve.
[[nodiscard]] BacklogTrend backlog_trend_within(const BacklogCurves& curves, double from_unix_us,
                                                double to_unix_us, std::optional<double> floor_before_sec,
                                                double usual_sec);

/// A lag that is no higher than this above its floor has come back to it: 1 % of the load, a share of what an
/// overload of 5 % adds in a third of it, but no less than Samples of once a second can resolve; beyond a
/// minute it grows with the square root of the load, as noise does.
[[nodiscard]] double lag_margin_sec(double load_sec);

/// A lag that ends higher than this above where it began has grown: 2.5 % of the load, half of what an
/// overload of 5 % adds, the finest that a minute resolves (TRAPS, Measuring 7); beyond a minute as above, so
/// that four times as long a load resolves half as much.
[[nodiscard]] double lag_rise_sec(double load_sec);

/// A standstill that lasts so long is a stall: most of the load, or a fifth of it when the load ended with
/// it; beyond a minute that grows with the square root of the load too, so that no long load may end dead.
[[nodiscard]] double stall_sec(double load_sec, bool to_the_end);

}  // namespace walstorm::measure
