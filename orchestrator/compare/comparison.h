#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/compare/differences.h"
#include "orchestrator/compare/figure_change.h"
#include "orchestrator/compare/gate.h"
#include "orchestrator/compare/profile_change.h"

namespace walstorm::compare {

/// How often each verdict was given.
using Verdicts = std::vector<std::pair<measure::VerdictState, std::size_t>>;

/// One judged phase, by its name.
struct PhaseComparison {
  std::string name;
  std::size_t base_runs = 0, candidate_runs = 0;  ///< whose figures count: phases that ran to their end
  Verdicts base_verdicts, candidate_verdicts;     ///< of all runs
  std::vector<FigureChange> figures;  ///< in the order of metrics.json; unmeasured ones are left out
};

/// A run as a comparison names it.
struct ComparedRun {
  std::string folder, name;
  std::int64_t started_at_unix_us = 0;
  measure::Outcome outcome = measure::Outcome::failed;
  bool ledger_is_clean = true;
  /// What must not be overlooked: that it failed and why, a broken ledger, phases that are left out; empty
  /// when there is nothing.
  std::vector<std::string> warnings;
};

/// All that `walstorm compare` finds out.
struct Comparison {
  std::vector<ComparedRun> base, candidate;
  std::vector<Difference> differences;
  std::vector<PhaseComparison> phases;
  /// How many figures could have come out as different: enough runs measured them, and not all the same.
  std::size_t tested = 0;
  std::vector<GateResult> gates;
  std::optional<ProfileChange> profile = {};  ///< of runs that were profiled on both sides

  /// Whether runs of these numbers can tell any difference.
  [[nodiscard]] bool can_tell() const;
  /// Whether any gate holds.
  [[nodiscard]] bool crossed() const;
};

/// Compares the runs phase by phase, each figure that has a better direction, warm-ups left out, and judges
/// the gates. Says nothing about whether a comparison makes sense: see load_differs.
[[nodiscard]] Comparison compare_runs(const Runs& base, const Runs& candidate,
                                      const std::vector<Gate>& gates);

/// The paths of all figures that these runs may have, those of their processes by their roles: what a gate
/// may name.
[[nodiscard]] std::vector<std::string> known_figures(const Runs& base, const Runs& candidate);

}  // namespace walstorm::compare
