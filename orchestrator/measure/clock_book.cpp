#include "orchestrator/measure/clock_book.h"

namespace walstorm::measure {
namespace {

/// 0 is "not yet".
void move_back(proto::ProducerStats& stats, std::int64_t by_us) {
  if (stats.load_started_unix_us() != 0) stats.set_load_started_unix_us(stats.load_started_unix_us() - by_us);
  if (stats.last_commit_unix_us() != 0) stats.set_last_commit_unix_us(stats.last_commit_unix_us() - by_us);
}

template <typename Frame>
void move_back(Frame& frame, std::int64_t by_us) {
  frame.set_taken_unix_us(frame.taken_unix_us() - by_us);
  if (frame.has_producer()) move_back(*frame.mutable_producer(), by_us);
}

}  // namespace

std::int64_t ClockBook::ahead_of_own_us(const std::string& worker) const {
  const auto at = workers_.find(worker);
  if (!own_ || at == workers_.end()) return 0;
  return wire::difference(at->second, *own_).known_us();
}

std::optional<proto::MetricsFrame> ClockBook::on_own_clock(const std::string& worker,
                                                           const proto::MetricsFrame& frame) const {
  const std::int64_t ahead_us = ahead_of_own_us(worker);
  if (ahead_us == 0) return std::nullopt;
  proto::MetricsFrame moved = frame;
  switch (moved.body_case()) {
    case proto::MetricsFrame::kPhaseReady:
      moved.mutable_phase_ready()->set_at_unix_us(frame.phase_ready().at_unix_us() - ahead_us);
      break;
    case proto::MetricsFrame::kSample:
      move_back(*moved.mutable_sample(), ahead_us);
      break;
    case proto::MetricsFrame::kPhaseResult:
      move_back(*moved.mutable_phase_result(), ahead_us);
      break;
    default:  // no times in it
      break;
  }
  return moved;
}

std::vector<ClockReport> ClockBook::reports() const {
  std::vector<ClockReport> reports;
  if (own_) reports.push_back({"orchestrator", own_->ahead_us, own_->error_us});
  for (const auto& [name, offset] : workers_) reports.push_back({name, offset.ahead_us, offset.error_us});
  return reports;
}

}  // namespace walstorm::measure
