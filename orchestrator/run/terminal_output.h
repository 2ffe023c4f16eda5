#pragma once

#include <memory>
#include <string>

#include "orchestrator/live/live_view.h"
#include "orchestrator/process/terminal.h"
#include "orchestrator/report/output.h"
#include "orchestrator/run/run.h"

namespace walstorm::run {

/// What a run shows on standard output: the live view, a line per phase, the summary. A terminal that is
/// stopped misses redraws and gets the lines that stay when it goes on. Lives on the loop.
class TerminalOutput final : public report::Output {
 public:
  /// `config` gives the phases that the live view shows; `folder` stands in the summary.
  TerminalOutput(const config::Config& config, const Display& display, std::string folder);

  [[nodiscard]] std::string name() const override { return "standard output"; }
  /// What is being done now, a line; nothing when quiet.
  void say(const std::string& line);
  void begin_preload();
  void end_preload(const std::string& line);
  void begin_phase(std::size_t phase_index);
  void end_phase(std::size_t phase_index, const measure::PhaseReport& report);
  void take(const measure::Second& second) override;
  /// Prints the summary, or where that cannot be made the outcome alone.
  void conclude(const measure::RunReport& report) override;
  /// After the summary; also when quiet.
  void add(const std::string& text);
  /// Takes the live view off the terminal.
  void end_view();
  /// Waits until the terminal has taken all, or a person ends that.
  void finish(process::EventLoop& loop);

 private:
  const Display display_;
  const std::string folder_;
  process::Terminal terminal_;
  std::unique_ptr<live::LiveView> live_;  // nullptr when quiet
  std::size_t first_phase_shown_ = 0;     // 1 when the live view has the preload in front
};

}  // namespace walstorm::run
