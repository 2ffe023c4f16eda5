#include "orchestrator/measure/fold/clock_book.h"

#include <cstdlib>
#include <fmt/format.h>

namespace walstorm::measure {
namespace {

/// 0 is "not yet".
void move_back(proto::ProducerStats& stats, std::int64_t by_us) {
  if (stats.load_started_unix_us() != 0) stats.set_load_started_unix_us(stats.load_started_unix_us() - by_us);
  if (stats.last_commit_unix_us() != 0) stats.set_last_commit_unix_us(stats.last_commit_unix_us() - by_us);
}

/// Clocks that nobody sets drift; less than this is nothing to tell.
constexpr std::int64_t kMovedUsMin = 5'000;

std::string moved_text(const std::string& role, const wire::ClockOffset& before,
                       const wire::ClockOffset& after) {
  const std::int64_t by_us = after.ahead_us - before.ahead_us;
  if (std::abs(by_us) <= before.error_us + after.error_us + kMovedUsMin) return {};
  return fmt::format(
      "{}'s wall clock and PostgreSQL's moved {:.3f} s apart between the comparison before this phase and "
      "the "
      "one after it: one of them was set, or they drift; receive times and lag may be off by as much",
      role, static_cast<double>(std::abs(by_us)) / 1e6);
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

std::vector<std::string> ClockBook::moved_since(const ClockBook& before) const {
  std::vector<std::string> notes;
  const auto look = [&notes](const std::string& role, const wire::ClockOffset& then,
                             const wire::ClockOffset& now) {
    std::string note = moved_text(role, then, now);
    if (!note.empty()) notes.push_back(std::move(note));
  };
  if (own_ && before.own_) look("the orchestrator", *before.own_, *own_);
  for (const auto& [name, offset] : workers_) {
    const auto then = before.workers_.find(name);
    if (then != before.workers_.end()) look(name, then->second, offset);
  }
  return notes;
}

std::string wall_clocks_set_text(const std::map<std::string, std::int64_t>& set_by_us) {
  std::vector<std::string> set;
  for (const auto& [name, by_us] : set_by_us) {
    if (by_us == 0) continue;
    set.push_back(fmt::format("{}'s {} by {:.3f} s", name, by_us < 0 ? "back" : "forward",
                              static_cast<double>(std::abs(by_us)) / 1e6));
  }
  if (set.empty()) return {};
  return fmt::format(
      "wall clocks were set during this phase: {}. Rates, queue, flush and write times are of the steady "
      "clock; the receive time and the lag of records under way at that moment are off by as much",
      fmt::join(set, ", "));
}

}  // namespace walstorm::measure
