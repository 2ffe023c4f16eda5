#include "orchestrator/run/terminal_output.h"

#include <exception>
#include <fmt/format.h>
#include <optional>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "orchestrator/config/json/secrets.h"
#include "orchestrator/config/phase_plan.h"
#include "orchestrator/report/summary.h"

namespace walstorm::run {
namespace {

std::optional<live::Screen> terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return live::Screen{size.ws_col, size.ws_row};
}

/// A summary that cannot be made is a defect; what came out is said all the same.
std::string summary_of(const measure::RunReport& report, const std::string& folder, bool colour) {
  try {
    return report::summary(report, folder, colour);
  } catch (const std::exception& defect) {
    return fmt::format("{}: {}, exit code {}{}{}\n(the summary could not be made: {})\n", report.name,
                       measure::to_string(report.outcome), report.exit_code,
                       report.failure.empty() ? "" : ": ", report.failure, defect.what());
  }
}

}  // namespace

TerminalOutput::TerminalOutput(const config::Config& config, const Display& display, std::string folder)
    : display_(display), folder_(std::move(folder)), terminal_(config::hide_secrets) {
  if (display_.quiet) return;
  const auto screen = [terminal = display.terminal] { return terminal ? terminal_size() : std::nullopt; };
  std::vector<config::Phase> shown = config.phases;
  if (config.producer.preload_rows > 0) {
    shown.insert(shown.begin(), config::preload_phase(config));
    shown.front().duration_sec = 0;  // its time is a limit, not a plan
    first_phase_shown_ = 1;
  }
  live_ = std::make_unique<live::LiveView>(terminal_.out(), screen, shown);
}

void TerminalOutput::say(const std::string& line) {
  if (live_) live_->print(line + "\n");
}

void TerminalOutput::begin_phase(std::size_t phase_index) {
  if (live_) live_->phase_started(first_phase_shown_ + phase_index);
}

void TerminalOutput::begin_preload() {
  if (live_) live_->phase_started(0);
}

void TerminalOutput::end_preload(const std::string& line) {
  if (live_) live_->phase_ended(0, std::nullopt);
  say(line);
}

void TerminalOutput::end_phase(std::size_t phase_index, const measure::PhaseReport& report) {
  if (!live_) return;
  live_->phase_ended(first_phase_shown_ + phase_index, report.verdict.state);
  live_->print(report::phase_line(report, display_.colour));
}

void TerminalOutput::take(const measure::Second& second) {
  if (live_ && terminal_.is_idle()) live_->show(second);
}

void TerminalOutput::conclude(const measure::RunReport& report) {
  end_view();
  if (display_.summary) add(summary_of(report, folder_, display_.colour));
}

void TerminalOutput::add(const std::string& text) {
  terminal_.out() << text << std::flush;
}

void TerminalOutput::end_view() {
  live_.reset();
}

void TerminalOutput::finish(process::EventLoop& loop) {
  terminal_.finish(loop);
}

}  // namespace walstorm::run
