#include "orchestrator/live/live_view.h"

#include <fmt/format.h>
#include <utility>

namespace walstorm::live {
namespace {

/// Half a second short of 10 s, for a second that is closed a little early still is the tenth.
constexpr std::int64_t kPlainEveryUs = 9'500'000;

}  // namespace

LiveView::LiveView(std::ostream& out, ScreenSize screen, const std::vector<config::Phase>& phases)
    : out_(out), screen_(std::move(screen)), plan_(phases) {
  for (const config::Phase& phase : phases) {
    phases_.push_back({.name = phase.name,
                       .planned_sec = phase.duration_sec,
                       .elapsed_sec = 0,
                       .stage = {},
                       .verdict = {}});
  }
}

LiveView::~LiveView() {
  clear();
  out_.flush();
}

void LiveView::phase_started(std::size_t phase_index) {
  current_ = phase_index;
  phases_.at(phase_index).stage = Stage::loading;
  second_.reset();
  plain_due_unix_us_ = 0;
  if (!screen_()) print(phase_start_line(plan_.at(phase_index)) + "\n");
}

void LiveView::show(const measure::Second& second) {
  PhaseProgress& phase = phases_.at(current_);
  phase.elapsed_sec = second.phase_elapsed_sec;
  phase.stage = second.draining ? Stage::draining : Stage::loading;
  second_ = second;
  if (screen_()) {
    clear();
    draw();
    return;
  }
  if (plain_due_unix_us_ == 0) plain_due_unix_us_ = second.at_unix_us - 1'000'000 + kPlainEveryUs;
  if (second.at_unix_us < plain_due_unix_us_) return;
  plain_due_unix_us_ = second.at_unix_us + kPlainEveryUs;
  print(plain_line(second) + "\n");
}

void LiveView::phase_ended(std::size_t phase_index, std::optional<measure::VerdictState> verdict) {
  phases_.at(phase_index).stage = Stage::ended;
  phases_.at(phase_index).verdict = verdict;
  second_.reset();
  clear();
}

void LiveView::print(const std::string& lines) {
  clear();
  out_ << lines;
  draw();
}

void LiveView::clear() {
  if (lines_drawn_ == 0) return;
  // Up to the first line, then erase all below (ECMA-48: CPL and ED).
  out_ << fmt::format("\x1b[{}F\x1b[J", lines_drawn_);
  lines_drawn_ = 0;
}

void LiveView::draw() {
  if (const auto screen = screen_(); screen && second_) {
    const auto lines = live_lines(phases_, *second_, *screen);
    for (const std::string& line : lines) out_ << line << '\n';
    lines_drawn_ = lines.size();
  }
  out_.flush();
}

}  // namespace walstorm::live
