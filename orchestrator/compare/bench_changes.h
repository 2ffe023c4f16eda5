#pragma once

#include <string>
#include <vector>

#include "orchestrator/compare/bench_file.h"
#include "orchestrator/compare/figure_change.h"

namespace walstorm::compare {

/// The benches of both sides, in the base's order and then those that the candidate alone has; each one's
/// repetitions are its samples.
[[nodiscard]] std::vector<FigureChange> bench_changes(const std::vector<Bench>& base,
                                                      const std::vector<Bench>& candidate);

/// "73.6 ns", "8.5 µs".
[[nodiscard]] std::string bench_time_text(double ns);

/// The table for a terminal, and what its marks mean.
[[nodiscard]] std::string bench_text(const std::vector<FigureChange>& changes);

}  // namespace walstorm::compare
