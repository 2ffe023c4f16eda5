#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/measure/fold/pipe_totals.h"

namespace walstorm::measure {

/// The totals as they stood one window ago, moved on once a second.
///
/// Held is what each second of the window added, its histograms packed (some hundred bytes each): an hour's
/// window takes some ten megabytes, whatever the rate and however long the phase.
class SlidingTotals final {
 public:
  /// `load_started_unix_us`: when all totals were 0.
  SlidingTotals(double window_sec, std::int64_t load_started_unix_us);

  /// The newest totals of the phase. Those that are not newer than the last ones tell nothing, and are left
  /// out. Returns the totals at the start of the window that ends with these; nullopt until a whole window
  /// has passed, and when these told nothing. Valid until the next call.
  const PipeTotals* advance(const PipeTotals& now);

 private:
  /// What was added from one call to the next.
  struct Step {
    PipeTotals counts;  // without histograms
    std::vector<std::string> histograms;
  };

  [[nodiscard]] static Step packed(const PipeTotals& part);
  [[nodiscard]] static PipeTotals unpacked(const Step& step);

  const double window_us_;
  PipeTotals start_;  // of the window
  PipeTotals newest_;
  std::deque<Step> steps_;  // from start_ to newest_
};

}  // namespace walstorm::measure
