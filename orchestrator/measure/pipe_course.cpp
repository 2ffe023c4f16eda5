#include "orchestrator/measure/pipe_course.h"

#include <algorithm>
#include <cmath>

namespace walstorm::measure {
namespace {

constexpr double kSecondUs = 1e6;
/// More moments than this find no lower floor.
constexpr double kMomentsMax = 1000;
/// Counts read between two points of a curve are off by fractions of a record.
constexpr double kCaughtUpRecords = 1;

/// nullopt before the first acknowledgement: what is on its way for the first time is not late yet.
std::optional<double> lag_sec_at(const CountCurve& produced, const CountCurve& acknowledged, double at) {
  const double done = *acknowledged.at(at);
  if (done + kCaughtUpRecords >= *produced.at(at)) return 0;
  if (done <= 0) return std::nullopt;
  return std::max(0.0, (at - *produced.time_of(done)) / kSecondUs);
}

std::optional<double> least_lag_sec(const CountCurve& produced, const CountCurve& acknowledged, double from,
                                    double to) {
  if (to <= from) return std::nullopt;
  const double step = std::max(kSecondUs, (to - from) / kMomentsMax);
  const auto moments = static_cast<int>(std::ceil((to - from) / step));
  auto least = lag_sec_at(produced, acknowledged, to);
  for (int i = 0; i < moments; ++i) {
    const auto lag_sec = lag_sec_at(produced, acknowledged, from + i * step);
    if (lag_sec) least = std::min(least.value_or(*lag_sec), *lag_sec);
  }
  return least;
}

}  // namespace

PipeCourse course_within(const CountCurve& produced, const CountCurve& acknowledged,
                         const CountCurve& run_acknowledged, double from_unix_us, double to_unix_us) {
  PipeCourse course;
  const double length = to_unix_us - from_unix_us;
  if (length <= 0 || produced.empty() || acknowledged.empty() || run_acknowledged.empty()) return course;
  const double middle = from_unix_us + length / 2;
  // The first second is left out: nothing can be late before anything was due.
  course.lag_floor_early_sec = least_lag_sec(produced, acknowledged, from_unix_us + kSecondUs, middle);
  course.lag_floor_late_sec = least_lag_sec(produced, acknowledged, to_unix_us - length / 3, to_unix_us);
  const auto late_per_sec = [&](const CountCurve& curve) {
    return (*curve.at(to_unix_us) - *curve.at(middle)) / (length / 2 / kSecondUs);
  };
  course.produced_late_per_sec = late_per_sec(produced);
  course.acknowledged_late_per_sec = late_per_sec(run_acknowledged);
  return course;
}

}  // namespace walstorm::measure
