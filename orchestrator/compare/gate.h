#pragma once

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/compare/figure_change.h"
#include "orchestrator/config/expression.h"

namespace walstorm::compare {

/// What --fail-on says: a figure, a comparison, and a change in percent.
///
///   gate := figure (">" | ">=" | "<" | "<=") ["+" | "-"] number "%"
struct Gate {
  std::string text;  ///< as it was given
  std::string path;
  config::Expression::Comparison comparison = config::Expression::Comparison::greater;
  double limit = 0;  ///< a share: 0.05 of "+5%"
};

/// Throws Error{config} for what cannot be read, and for a figure that is not among `known`, with the one
/// that may be meant.
[[nodiscard]] Gate parse_gate(const std::string& text, const std::vector<std::string>& known);

/// What a gate found in one phase.
struct GatePhase {
  std::string phase;
  FigureChange change;
  /// It crosses the limit, and beyond noise where the samples can tell; also when one side never measured it.
  bool holds = false;
};

struct GateResult {
  Gate gate;
  bool holds = false;             ///< in any phase, or because no phase measured it
  std::vector<GatePhase> phases;  ///< those in which either side measured it
};

/// Judges the figure's change in every phase, `changes` being pairs of phase and change. What was never
/// measured does not pass a gate.
[[nodiscard]] GateResult judge(const Gate& gate,
                               const std::vector<std::pair<std::string, FigureChange>>& changes);

}  // namespace walstorm::compare
