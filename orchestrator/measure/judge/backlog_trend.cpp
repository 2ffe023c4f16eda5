#include "orchestrator/measure/judge/backlog_trend.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

namespace walstorm::measure {
namespace {

constexpr double kSecondUs = 1e6;
/// Counts read between two points of a curve are off by fractions of a record.
constexpr double kCaughtUpRecords = 1;
constexpr double kMarginSecMin = 0.3;
constexpr double kMarginShare = 0.01;
constexpr double kRiseSecMin = 0.5;
constexpr double kRiseShare = 0.025;
constexpr double kMinuteSec = 60;
/// The end of a load: a tenth of it, but of a short load enough Samples for a batching sink to be seen just
/// after a flush.
constexpr double kEndShare = 0.1;
constexpr double kEndSecMin = 4;
constexpr double kEndShareMax = 0.25;
/// Its very end: so many seconds, or two of the pipe's usual rounds, and no more than the last third.
constexpr double kCloseSecMin = 5;
constexpr double kCloseRounds = 2;
constexpr double kCloseShareMax = 1.0 / 3;
/// What a ramp rises from is compared stretch by stretch, each long enough for a batching sink to flush in
/// it.
constexpr double kStretchShare = 1.0 / 15;
constexpr double kStretchSecMin = 4;
constexpr double kBeforeTheEndShare = 0.7;
/// A shorter saturated stretch tells no rate.
constexpr double kSaturatedSecMin = 2;
constexpr double kStallSecMin = 5;
constexpr double kStallShareAtEnd = 0.2;
constexpr double kStallShare = 0.5;
/// Samples come once a second, so a standstill that ends so close to the load's end goes on to it.
constexpr double kToTheEndSec = 1.5;

struct LagPoint {
  double sec = 0;  ///< since the load began
  double lag_sec = 0;
  bool begun = false;  ///< something of the phase was acknowledged by then
};

/// The lag at each Sample, and at the load's end.
class LagTrend final {
 public:
  LagTrend(const BacklogCurves& curves, double from, double to) : curves_(curves), from_(from), to_(to) {
    for (const CountPoint& point : curves.acknowledged.points()) {
      const auto at = static_cast<double>(point.at_unix_us);
      // The first second is left out: nothing can be late before anything was due.
      if (at > from + kSecondUs && at < to) add(at);
    }
    add(to);
  }

  [[nodiscard]] const std::vector<LagPoint>& points() const { return points_; }

  /// The least within a part of the load, from and to as shares of it.
  [[nodiscard]] std::optional<double> least(double from_share, double to_share, bool begun_only) const {
    const double length_sec = (to_ - from_) / kSecondUs;
    std::optional<double> least;
    for (const LagPoint& point : points_) {
      if (point.sec < from_share * length_sec || point.sec > to_share * length_sec) continue;
      if (begun_only && !point.begun) continue;
      least = std::min(least.value_or(point.lag_sec), point.lag_sec);
    }
    return least;
  }

 private:
  void add(double at) {
    const double done = *curves_.acknowledged.at(at);
    const double sec = (at - from_) / kSecondUs;
    if (done + kCaughtUpRecords >= *curves_.produced.at(at)) {
      points_.push_back({sec, 0, true});
    } else {
      const double since = done > 0 ? *curves_.produced.time_of(done) : from_;
      points_.push_back({sec, std::max(0.0, (at - since) / kSecondUs), done > 0});
    }
  }

  const BacklogCurves& curves_;
  const double from_, to_;
  std::vector<LagPoint> points_;
};

/// From the first Sample after which the lag did not come back any more; what stood still then at first, as
/// after a stall that began it all, is left out.
void add_saturation(BacklogTrend& backlog, const LagTrend& lag, const BacklogCurves& curves, double from,
                    double to) {
  if (!backlog.lag_early_sec) return;
  const double length_sec = (to - from) / kSecondUs;
  const double at_floor = *backlog.lag_early_sec + lag_margin_sec(length_sec);
  const auto& points = lag.points();
  const auto last_return = std::find_if(points.rbegin(), points.rend(),
                                        [at_floor](const LagPoint& p) { return p.lag_sec <= at_floor; });
  auto first = last_return.base();
  const auto done_at = [&](double sec) { return *curves.run_acknowledged.at(from + sec * kSecondUs); };
  while (first != points.end() && std::next(first) != points.end() &&
         done_at(std::next(first)->sec) - done_at(first->sec) < kCaughtUpRecords) {
    ++first;
  }
  if (first == points.end() || length_sec - first->sec < kSaturatedSecMin) return;
  const double seconds = length_sec - first->sec;
  const double since = from + first->sec * kSecondUs;
  backlog.saturated_from_sec = first->sec;
  backlog.acknowledged_per_sec = (*curves.run_acknowledged.at(to) - done_at(first->sec)) / seconds;
  backlog.produced_per_sec = (*curves.produced.at(to) - *curves.produced.at(since)) / seconds;
}

void add_stretches(BacklogTrend& backlog, const LagTrend& lag, double length_sec) {
  const double share = std::max(kStretchShare, std::min(kStretchSecMin / length_sec, kEndShareMax));
  backlog.lag_last_sec = lag.least(1 - share, 1, false);
  backlog.lag_before_last_sec = lag.least(1 - 2 * share, 1 - share, false);
  for (int from_the_end = 2; 1 - from_the_end * share > share; ++from_the_end) {
    const double end = 1 - from_the_end * share;
    if (end > kBeforeTheEndShare) continue;
    if (const auto least = lag.least(end - share, end, true))
      backlog.lag_high_sec = std::max(backlog.lag_high_sec.value_or(*least), *least);
  }
}

/// `from` and `to` are moments between which the count of acknowledged records did not rise.
std::optional<Standstill> standstill_of(const BacklogCurves& curves, double load_from, double load_to,
                                        double from, double to) {
  const double done = *curves.acknowledged.at(from);
  const double waiting = *curves.produced.at(to) - done;
  if (waiting < 1) return std::nullopt;
  const double waits_from = *curves.produced.time_of(done + 1);
  const double begins = std::max({from, waits_from, load_from});
  if (to <= begins) return std::nullopt;
  return Standstill{.from_sec = (begins - load_from) / kSecondUs,
                    .to_sec = (to - load_from) / kSecondUs,
                    .to_the_end = to >= load_to - kToTheEndSec * kSecondUs,
                    .waiting = waiting};
}

/// The one that most exceeds what would be a stall, or comes nearest to it.
std::optional<Standstill> worst_standstill(const BacklogCurves& curves, double from, double to) {
  const auto weight = [load_sec = (to - from) / kSecondUs](const Standstill& still) {
    return still.seconds() / stall_sec(load_sec, still.to_the_end);
  };
  std::optional<Standstill> worst;
  const auto& points = curves.run_acknowledged.points();
  for (std::size_t i = 0; i < points.size();) {
    std::size_t last = i;
    while (last + 1 < points.size() && points[last + 1].count == points[i].count) ++last;
    const double begins = std::max(static_cast<double>(points[i].at_unix_us), from);
    const double ends = std::min(static_cast<double>(points[last].at_unix_us), to);
    if (ends > begins) {
      const auto found = standstill_of(curves, from, to, begins, ends);
      if (found && (!worst || weight(*found) > weight(*worst))) worst = found;
    }
    i = last + 1;
  }
  return worst;
}

/// An overload adds to the lag with the time, noise with its square root: from a minute on that is what is
/// told from the other.
double telling_sec(double load_sec) {
  return load_sec <= kMinuteSec ? load_sec : std::sqrt(load_sec * kMinuteSec);
}

}  // namespace

double lag_margin_sec(double load_sec) {
  return std::max(kMarginSecMin, kMarginShare * telling_sec(load_sec));
}

double lag_rise_sec(double load_sec) {
  return std::max(kRiseSecMin, kRiseShare * telling_sec(load_sec));
}

double stall_sec(double load_sec, bool to_the_end) {
  return std::max(kStallSecMin,
                  to_the_end ? kStallShareAtEnd * telling_sec(load_sec) : kStallShare * load_sec);
}

BacklogTrend backlog_trend_within(const BacklogCurves& curves, double from_unix_us, double to_unix_us,
                                  std::optional<double> floor_before_sec, double usual_sec) {
  BacklogTrend backlog;
  const double length_sec = (to_unix_us - from_unix_us) / kSecondUs;
  if (length_sec <= 0 || curves.produced.empty() || curves.acknowledged.empty() ||
      curves.run_acknowledged.empty()) {
    return backlog;
  }
  const LagTrend lag(curves, from_unix_us, to_unix_us);
  backlog.lag_early_sec = lag.least(0, 0.5, true);
  backlog.lag_floor_sec = backlog.lag_early_sec;
  if (floor_before_sec) {
    const double known = std::max(*floor_before_sec, usual_sec);
    backlog.lag_floor_sec = std::min(backlog.lag_early_sec.value_or(known), known);
  }
  const double end_share = std::max(kEndShare, std::min(kEndSecMin / length_sec, kEndShareMax));
  backlog.lag_return_sec = lag.least(2.0 / 3, 1, false);
  backlog.lag_before_end_sec = lag.least(0.6, 0.8, false);
  backlog.lag_end_sec = lag.least(1 - end_share, 1, false);
  const double close_sec = std::max(kCloseSecMin, kCloseRounds * usual_sec);
  backlog.lag_close_sec = lag.least(1 - std::min(close_sec / length_sec, kCloseShareMax), 1, false);
  add_stretches(backlog, lag, length_sec);
  add_saturation(backlog, lag, curves, from_unix_us, to_unix_us);
  backlog.standstill = worst_standstill(curves, from_unix_us, to_unix_us);
  return backlog;
}

}  // namespace walstorm::measure
