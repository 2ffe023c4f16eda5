#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/live/live_lines.h"
#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::live {

/// Shows a run while it is on: on a terminal, lines redrawn in place once a second; elsewhere a plain line
/// every 10 s and one when a phase starts. What the lines say is in live_lines.h; this only writes them.
///
/// While it is open, other text for the same terminal must go through print(). Lives on the orchestrator's
/// loop.
class LiveView final {
 public:
  /// Asked before each drawing, since a terminal may be resized. nullopt: `out` is no terminal.
  using ScreenSize = std::function<std::optional<Screen>()>;

  /// `out` outlives this.
  /// A phase of 0 s is one whose length nobody knows.
  LiveView(std::ostream& out, ScreenSize screen, const std::vector<config::Phase>& phases);
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;
  /// Takes its lines off the terminal.
  ~LiveView();

  void phase_started(std::size_t phase_index);
  /// Once a second, with the running phase's figures.
  void show(const measure::Second& second);
  /// Without a verdict: one that is not judged.
  void phase_ended(std::size_t phase_index, std::optional<measure::VerdictState> verdict);

  /// Writes whole lines (ending in a newline) above the live ones.
  void print(const std::string& lines);

 private:
  void clear();
  void draw();

  std::ostream& out_;
  ScreenSize screen_;
  std::vector<config::Phase> plan_;
  std::vector<PhaseProgress> phases_;
  std::size_t current_ = 0;
  std::optional<measure::Second> second_;
  std::size_t lines_drawn_ = 0;
  std::int64_t plain_due_unix_us_ = 0;
};

}  // namespace walstorm::live
