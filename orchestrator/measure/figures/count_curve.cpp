#include "orchestrator/measure/figures/count_curve.h"

#include <algorithm>
#include <cmath>

#include "proto/wire/error.h"

namespace walstorm::measure {
namespace {

constexpr double kSecondUs = 1e6;

}  // namespace

void CountCurve::add(CountPoint point) {
  if (!points_.empty()) {
    CountPoint& last = points_.back();
    if (point.count < last.count) {
      throw wire::Error(wire::ErrorKind::protocol, "a cumulative count went backwards");
    }
    if (point.at_unix_us <= last.at_unix_us) {
      last.count = point.count;
      return;
    }
  }
  const std::size_t n = points_.size();
  const bool last_gives_way = n >= 2 && points_[n - 1].at_unix_us - points_[n - 2].at_unix_us < spacing_us_;
  if (last_gives_way) {
    points_.back() = point;
    return;
  }
  points_.push_back(point);
  if (points_.size() > kPointsMax) thin();
}

void CountCurve::thin() {
  std::vector<CountPoint> kept;
  kept.reserve(kPointsMax + 1);
  for (std::size_t i = 0; i < points_.size(); i += 2) kept.push_back(points_[i]);
  if (kept.back() != points_.back()) kept.push_back(points_.back());
  points_ = std::move(kept);
  const std::int64_t span = points_.back().at_unix_us - points_.front().at_unix_us;
  // Three quarters of the average step: readings come a little early or late, and must not be dropped for it.
  spacing_us_ = span / static_cast<std::int64_t>(points_.size()) * 3 / 4;
}

std::optional<double> CountCurve::at(double at_unix_us) const {
  if (points_.empty()) return std::nullopt;
  const auto after =
      std::lower_bound(points_.begin(), points_.end(), at_unix_us,
                       [](const CountPoint& p, double t) { return static_cast<double>(p.at_unix_us) < t; });
  if (after == points_.begin()) return static_cast<double>(after->count);
  const CountPoint& before = *(after - 1);
  if (after == points_.end()) return static_cast<double>(before.count);
  const double share = (at_unix_us - static_cast<double>(before.at_unix_us)) /
                       static_cast<double>(after->at_unix_us - before.at_unix_us);
  return static_cast<double>(before.count) + share * static_cast<double>(after->count - before.count);
}

std::optional<double> CountCurve::time_of(double count) const {
  if (points_.empty()) return std::nullopt;
  const auto after =
      std::lower_bound(points_.begin(), points_.end(), count,
                       [](const CountPoint& p, double c) { return static_cast<double>(p.count) < c; });
  if (after == points_.begin()) return static_cast<double>(after->at_unix_us);
  const CountPoint& before = *(after - 1);
  if (after == points_.end()) return static_cast<double>(before.at_unix_us);
  const double share =
      (count - static_cast<double>(before.count)) / static_cast<double>(after->count - before.count);
  return static_cast<double>(before.at_unix_us) +
         share * static_cast<double>(after->at_unix_us - before.at_unix_us);
}

CountCurve sum_of(const std::vector<const CountCurve*>& curves) {
  if (curves.size() == 1) return *curves.front();
  std::vector<std::int64_t> times;
  for (const CountCurve* curve : curves) {
    if (curve->empty()) return {};
    for (const CountPoint& point : curve->points()) times.push_back(point.at_unix_us);
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  CountCurve sum;
  for (const std::int64_t time : times) {
    double total = 0;
    for (const CountCurve* curve : curves) total += curve->at(static_cast<double>(time)).value_or(0);
    sum.add({time, static_cast<std::uint64_t>(std::llround(total))});
  }
  return sum;
}

std::vector<double> rates_within(const CountCurve& curve, double from_unix_us, double to_unix_us) {
  std::vector<double> rates;
  if (curve.empty()) return rates;
  const double seconds = std::floor((to_unix_us - from_unix_us) / kSecondUs);
  const double step_sec = std::max(1.0, std::ceil(seconds / static_cast<double>(CountCurve::kPointsMax)));
  for (double from_sec = 0; from_sec + step_sec <= seconds; from_sec += step_sec) {
    const double from = from_unix_us + from_sec * kSecondUs;
    const double to = from + step_sec * kSecondUs;
    rates.push_back((*curve.at(to) - *curve.at(from)) / step_sec);
  }
  return rates;
}

std::optional<double> rise_share(const CountCurve& curve, double from_unix_us, double to_unix_us) {
  if (curve.empty()) return std::nullopt;
  const double from = std::max(from_unix_us, static_cast<double>(curve.points().front().at_unix_us));
  const double to = std::min(to_unix_us, static_cast<double>(curve.points().back().at_unix_us));
  if (to <= from || to - from < (to_unix_us - from_unix_us) / 2) return std::nullopt;
  return (*curve.at(to) - *curve.at(from)) / (to - from);
}

void RateMeter::add(CountPoint point) {
  if (!base_) {
    base_ = point;
  } else {
    newest_ = point;
  }
}

std::optional<double> RateMeter::close_second() {
  if (!newest_ || newest_->at_unix_us <= base_->at_unix_us || newest_->count < base_->count) {
    return std::nullopt;
  }
  const double rate = static_cast<double>(newest_->count - base_->count) /
                      (static_cast<double>(newest_->at_unix_us - base_->at_unix_us) / kSecondUs);
  base_ = newest_;
  newest_.reset();
  return rate;
}

}  // namespace walstorm::measure
