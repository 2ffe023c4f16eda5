#include "orchestrator/trial/trial.h"

#include <algorithm>

#include "orchestrator/measure/figures/figures.h"

namespace walstorm::trial {

Trial trial_of(const measure::RunReport& report, const std::string& run,
               const std::vector<std::string>& paths) {
  Trial trial;
  trial.run = run;
  trial.outcome = report.outcome;
  trial.failure = report.failure;
  trial.duration_sec = static_cast<double>(report.ended_at_unix_us - report.started_at_unix_us) / 1e6;
  const auto judged = std::find_if(report.phases.rbegin(), report.phases.rend(),
                                   [](const measure::PhaseReport& phase) { return !phase.warmup; });
  if (judged == report.phases.rend()) return trial;
  trial.verdict = judged->verdict.state;
  trial.bottleneck = judged->verdict.bottleneck;
  if (!judged->verdict.evidence.empty()) trial.why = judged->verdict.evidence.front().says;
  if (!judged->verdict.try_next.empty()) trial.advice = judged->verdict.try_next.front();
  for (const measure::ThresholdResult& threshold : judged->thresholds) {
    if (!threshold.passed) trial.crossed.push_back(threshold.expr);
  }
  for (const std::string& path : paths) {
    if (const auto value = measure::figure_of(*judged, path)) trial.figures[path] = *value;
  }
  return trial;
}

}  // namespace walstorm::trial
