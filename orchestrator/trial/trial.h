#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::trial {

/// What is kept of one run that was made to learn something about a setting; the rest is in its folder.
struct Trial {
  std::string run;  ///< its folder, below the command's own
  measure::Outcome outcome = measure::Outcome::failed;
  std::string failure;      ///< why, when it failed
  double duration_sec = 0;  ///< of the whole run, preparing and draining included
  // Of the phase that is judged:
  measure::VerdictState verdict = measure::VerdictState::failed;
  measure::Bottleneck bottleneck = measure::Bottleneck::unknown;
  std::string why;                        ///< the verdict's first evidence
  std::string advice;                     ///< what to try next
  std::vector<std::string> crossed;       ///< thresholds, by their expressions
  std::map<std::string, double> figures;  ///< those that were asked for and measured, by path

  [[nodiscard]] bool failed() const { return outcome == measure::Outcome::failed; }
  /// The first line of why it failed; what follows from it is in the run's own report.
  [[nodiscard]] std::string failure_line() const { return failure.substr(0, failure.find('\n')); }
};

/// `paths`: the figures to keep. The judged phase is the last one that is no warm-up.
[[nodiscard]] Trial trial_of(const measure::RunReport& report, const std::string& run,
                             const std::vector<std::string>& paths);

}  // namespace walstorm::trial
