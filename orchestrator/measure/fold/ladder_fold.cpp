#include "orchestrator/measure/fold/ladder_fold.h"

#include <algorithm>

namespace walstorm::measure {
namespace {

std::optional<std::uint64_t> bytes_between(const std::optional<wire::Lsn>& ahead,
                                           const std::optional<wire::Lsn>& behind) {
  if (!ahead || !behind || !ahead->is_set() || !behind->is_set()) return std::nullopt;
  return ahead->bytes_after(*behind);
}

void widen(Range& range, const std::optional<double>& value) {
  if (!value) return;
  range.min = std::min(range.min.value_or(*value), *value);
  range.max = std::max(range.max.value_or(*value), *value);
  range.end = value;
}

void widen(Rung& rung, const LadderDistances::Rung& now) {
  widen(rung.bytes, now.bytes ? std::optional(static_cast<double>(*now.bytes)) : std::nullopt);
  widen(rung.sec, now.sec);
}

void widen(LadderReport& report, const LadderDistances& now) {
  widen(report.head_to_sent, now.head_to_sent);
  widen(report.sent_to_received, now.sent_to_received);
  widen(report.received_to_flushed, now.received_to_flushed);
  widen(report.flushed_to_confirmed, now.flushed_to_confirmed);
}

}  // namespace

void HeadCurve::add(std::int64_t at_unix_us, wire::Lsn head) {
  while (!points_.empty() && points_.back().count > head.value) points_.pop_back();
  if (!points_.empty() && at_unix_us <= points_.back().at_unix_us) {
    points_.back().count = head.value;
    return;
  }
  points_.push_back({at_unix_us, head.value});
  if (points_.size() > thin_at_) thin();
}

/// From the newest back, each kept reading decides by its age how far away the next one is.
void HeadCurve::thin() {
  const std::int64_t now_us = points_.back().at_unix_us;
  std::vector<CountPoint> kept;
  for (auto point = points_.rbegin(); point != points_.rend(); ++point) {
    const bool is_end = point == points_.rbegin() || point + 1 == points_.rend();
    const std::int64_t spacing_us = (now_us - point->at_unix_us) / kFinePoints;
    // Readings come a little early or late, and must not be dropped for it.
    if (is_end || kept.back().at_unix_us - point->at_unix_us >= spacing_us * 3 / 4) kept.push_back(*point);
  }
  points_.assign(kept.rbegin(), kept.rend());
  thin_at_ = points_.size() + static_cast<std::size_t>(kFinePoints);
}

std::optional<double> HeadCurve::passed_unix_us(wire::Lsn position) const {
  const auto& points = points_;
  if (points.empty()) return std::nullopt;
  const auto beyond =
      std::upper_bound(points.begin(), points.end(), position.value,
                       [](std::uint64_t count, const CountPoint& point) { return count < point.count; });
  if (beyond == points.begin()) return static_cast<double>(beyond->at_unix_us);
  const CountPoint& before = *(beyond - 1);
  if (beyond == points.end()) return static_cast<double>(before.at_unix_us);
  const double share =
      static_cast<double>(position.value - before.count) / static_cast<double>(beyond->count - before.count);
  return static_cast<double>(before.at_unix_us) +
         share * static_cast<double>(beyond->at_unix_us - before.at_unix_us);
}

void LadderFold::take(const LadderSample& sample) {
  if (sample.head_lsn) head_.add(sample.at_unix_us, *sample.head_lsn);
  newest_ = sample;
}

LadderDistances LadderFold::distances(const ConsumerRungs& consumer) const {
  const LadderSample server = newest_.value_or(LadderSample{});
  const auto between = [&](const std::optional<wire::Lsn>& ahead, const std::optional<wire::Lsn>& behind) {
    LadderDistances::Rung rung{bytes_between(ahead, behind), std::nullopt};
    // Without a reading of this second the head is not known, and with it how old what follows `behind` is.
    if (!rung.bytes || !server.head_lsn) return rung;
    const double sec = (*head_.passed_unix_us(*ahead) - *head_.passed_unix_us(*behind)) / 1e6;
    rung.sec = *rung.bytes == 0 ? 0 : std::max(0.0, sec);
    return rung;
  };
  return {between(server.head_lsn, server.sent_lsn), between(server.sent_lsn, consumer.received),
          between(consumer.received, consumer.flushed), between(consumer.flushed, server.confirmed_lsn)};
}

LadderDistances LadderFold::close_second(const ConsumerRungs& consumer) {
  const LadderDistances now = distances(consumer);
  widen(report_, now);
  newest_.reset();
  return now;
}

LadderReport LadderFold::report(const ConsumerRungs& consumer) const {
  LadderReport report = report_;
  if (newest_) widen(report, distances(consumer));
  return report;
}

}  // namespace walstorm::measure
