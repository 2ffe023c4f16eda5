#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/figures/run_report.h"

/// What the live view shows, as text: pure, so that tests can look at it.
namespace walstorm::live {

enum class Stage { waiting, loading, draining, ended };

struct PhaseProgress {
  std::string name;
  double planned_sec = 0;  ///< 0: nobody knows
  double elapsed_sec = 0;
  Stage stage = Stage::waiting;
  std::optional<measure::VerdictState> verdict;  ///< once it has ended
};

struct Screen {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// A bar per phase and a line per process; no line is wider than the screen, and there are fewer of them than
/// its rows: where phases do not fit, those next to the running one stay.
[[nodiscard]] std::vector<std::string> live_lines(const std::vector<PhaseProgress>& phases,
                                                  const measure::Second& second, Screen screen);

/// The same second on one line, for a log: "2026-01-31T12:00:10.000Z baseline 10 s: produced 5,001/s ...".
[[nodiscard]] std::string plain_line(const measure::Second& second);

/// "phase baseline: 60 s at 5,000/s".
[[nodiscard]] std::string phase_start_line(const config::Phase& phase);

}  // namespace walstorm::live
