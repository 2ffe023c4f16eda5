#include "consumer/sink/mock_schedule.h"

#include <algorithm>

namespace walstorm::consumer {
namespace {

/// Answers arrive as late as timers fire, and so does the next flush of a reader that waited for one. That
/// much idleness is ours, not the server's: without it a capped mock would take in less than it was told to.
constexpr double kTimerSlackUs = 1000;

std::vector<MockSchedule::Stall> in_order(std::vector<MockSchedule::Stall> stalls) {
  std::sort(stalls.begin(), stalls.end(),
            [](const auto& a, const auto& b) { return a.begin_us < b.begin_us; });
  std::vector<MockSchedule::Stall> joined;
  for (const auto& stall : stalls) {
    if (!joined.empty() && stall.begin_us <= joined.back().end_us) {
      joined.back().end_us = std::max(joined.back().end_us, stall.end_us);
    } else {
      joined.push_back(stall);
    }
  }
  return joined;
}

}  // namespace

MockSchedule::MockSchedule(const Behaviour& behaviour)
    : delay_us_(behaviour.delay_us),
      jitter_us_(behaviour.jitter_us),
      error_rate_(behaviour.error_rate),
      record_us_(behaviour.records_per_sec_max > 0 ? 1e6 / behaviour.records_per_sec_max : 0),
      stalls_(in_order(behaviour.stalls)),
      random_(behaviour.seed) {}

MockSchedule::Answer MockSchedule::answer(double now_us, std::uint64_t records) {
  // Both are drawn for every flush, so that one of them turned on or off leaves the other as it was.
  const double answer_us = delay_us_ + jitter_us_ * random_share();
  const bool failed = random_share() < error_rate_;
  const double idle_since_us = now_us - kTimerSlackUs;
  while (started_us_ && stalls_ended_ < stalls_.size() &&
         *started_us_ + stalls_[stalls_ended_].end_us <= idle_since_us) {
    ++stalls_ended_;
  }
  if (failed) return {done_at_us(now_us, answer_us), true};
  busy_until_us_ =
      done_at_us(std::max(busy_until_us_, idle_since_us), static_cast<double>(records) * record_us_);
  return {done_at_us(std::max(busy_until_us_, now_us), answer_us), false};
}

/// When a server that sets to work at `from_us` is done with `work_us` of it, standing still in stalls. What
/// would end with a stall's begin ends after it.
double MockSchedule::done_at_us(double from_us, double work_us) const {
  for (std::size_t i = stalls_ended_; started_us_ && i < stalls_.size(); ++i) {
    const double begin_us = *started_us_ + stalls_[i].begin_us;
    const double end_us = *started_us_ + stalls_[i].end_us;
    if (from_us + work_us < begin_us) break;
    if (from_us >= end_us) continue;
    work_us -= std::max(0.0, begin_us - from_us);
    from_us = end_us;
  }
  return from_us + work_us;
}

/// From 0 to 1, which is not reached: an error rate of 0 never fails, one of 1 always does.
double MockSchedule::random_share() {
  return static_cast<double>(random_() >> 11U) * 0x1p-53;
}

}  // namespace walstorm::consumer
