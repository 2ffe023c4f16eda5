#include "orchestrator/measure/fold/censor.h"

#include <algorithm>
#include <cmath>

namespace walstorm::measure {
namespace {

/// Steps in which the records between two points of the curve are entered: the points lie a second apart, so
/// a step is 10 ms, finer than the clocks of a phase and cheap however many records there are.
constexpr std::uint64_t kStepsMax = 100;

}  // namespace

std::uint64_t add_censored(const CountCurve& produced, std::uint64_t acknowledged,
                           std::int64_t gave_up_unix_us, wire::Histogram& lag_us) {
  if (produced.empty()) return 0;
  const std::uint64_t total = produced.points().back().count;
  std::uint64_t entered = acknowledged;
  for (const CountPoint& point : produced.points()) {
    if (point.count <= entered) continue;
    const std::uint64_t records = point.count - entered;
    const std::uint64_t steps = std::min(records, kStepsMax);
    for (std::uint64_t step = 0; step < steps; ++step) {
      const std::uint64_t first = entered + records * step / steps;
      const std::uint64_t last = entered + records * (step + 1) / steps;
      // The middle one of the records first + 1 to last stands for them all.
      const double middle = (static_cast<double>(first) + 1 + static_cast<double>(last)) / 2;
      const double committed = produced.time_of(middle).value_or(static_cast<double>(point.at_unix_us));
      lag_us.record(std::llround(static_cast<double>(gave_up_unix_us) - committed), last - first);
    }
    entered = point.count;
  }
  return total > acknowledged ? total - acknowledged : 0;
}

std::uint64_t add_waiting(const CountCurve& produced, std::uint64_t acknowledged, std::int64_t now_unix_us,
                          wire::Histogram& lag_us) {
  const double longest_us = lag_us.max().value_or(0);
  std::uint64_t entered = acknowledged;
  std::uint64_t waiting = 0;
  for (const CountPoint& point : produced.points()) {
    const std::int64_t age_us = now_unix_us - point.at_unix_us;
    if (static_cast<double>(age_us) <= longest_us) break;  // and all later ones are younger
    if (point.count <= entered) continue;
    lag_us.record(age_us, point.count - entered);
    waiting += point.count - entered;
    entered = point.count;
  }
  return waiting;
}

}  // namespace walstorm::measure
