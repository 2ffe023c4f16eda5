#pragma once

#include <string>
#include <vector>

#include "orchestrator/compare/differences.h"

namespace walstorm::compare::test {

/// A run with a warm-up and the judged phase "load", of which a few figures were measured: a lag p99 of
/// `lag_ms`, and others that are the same in every such run.
[[nodiscard]] report::RecordedRun run_with(double lag_ms, const std::string& folder = "run");

/// One such run for each lag: "base-1", "base-2" ...
[[nodiscard]] Runs runs_with(const std::vector<double>& lags_ms, const std::string& name = "base");

/// The judged phase of a run.
[[nodiscard]] measure::PhaseReport& load_of(report::RecordedRun& run);

}  // namespace walstorm::compare::test
