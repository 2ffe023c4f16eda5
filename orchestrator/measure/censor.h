#pragma once

#include <cstdint>

#include "orchestrator/measure/count_curve.h"
#include "proto/wire/histogram.h"

namespace walstorm::measure {

/// Adds to `lag_us` the records that nobody had acknowledged when the drain gave up, each with the age it had
/// by then, so that an overload does not flatter its p99 by leaving out those that waited longest.
///
/// The WAL is in commit order, so the records after the first `acknowledged` ones are those committed last,
/// at the times that `produced` (records committed, over time) tells. Returns how many there were.
std::uint64_t add_censored(const CountCurve& produced, std::uint64_t acknowledged,
                           std::int64_t gave_up_unix_us, wire::Histogram& lag_us);

}  // namespace walstorm::measure
