#pragma once

#include <string>

#include "orchestrator/measure/figures/run_report.h"

/// What the terminal shows. Lines fit 120 columns, unless a name or a sentence of the evidence is longer.
namespace walstorm::report {

/// The two lines printed at once when a phase ends: its figures, and its verdict.
[[nodiscard]] std::string phase_line(const measure::PhaseReport& phase, bool colour);

/// The end of the run: thresholds, a row per phase, the ledger, what went wrong, and where the files are
/// (`folder`). `colour` marks verdicts and outcomes with ANSI colours.
[[nodiscard]] std::string summary(const measure::RunReport& report, const std::string& folder, bool colour);

}  // namespace walstorm::report
