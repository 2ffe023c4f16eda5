#pragma once

#include <cstdint>

#include "orchestrator/measure/figures/count_curve.h"
#include "proto/wire/histogram.h"

namespace walstorm::measure {

/// Adds to `lag_us` the records that nobody had acknowledged when the drain gave up, each with the age it had
/// by then, so that an overload does not flatter its p99 by leaving out those that waited longest.
///
/// The WAL is in commit order, so the records after the first `acknowledged` ones are those committed last,
/// at the times that `produced` (records committed, over time) tells. Returns how many there were.
std::uint64_t add_censored(const CountCurve& produced, std::uint64_t acknowledged,
                           std::int64_t gave_up_unix_us, wire::Histogram& lag_us);

/// The same while the load is on, for what would otherwise look like no lag at all: adds the records that
/// wait now, if they have done so for longer than any in `lag_us` took, and so only ever raises its
/// percentiles. Each enters with the least age that it can have: that of the first reading of `produced` that
/// counts it. Returns how many there were.
std::uint64_t add_waiting(const CountCurve& produced, std::uint64_t acknowledged, std::int64_t now_unix_us,
                          wire::Histogram& lag_us);

}  // namespace walstorm::measure
