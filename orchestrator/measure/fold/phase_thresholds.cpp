#include "orchestrator/measure/fold/phase_thresholds.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "orchestrator/config/thresholds.h"

namespace walstorm::measure {
namespace {

double sec_into_load(const PhaseFold& fold, const PipeTotals& now) {
  return static_cast<double>(now.at_unix_us - fold.load_started().value_or(now.at_unix_us)) / 1e6;
}

ThresholdResult result_with(const config::Threshold& threshold, const Judgement& judgement,
                            std::string says) {
  ThresholdResult result;
  result.expr = threshold.expr;
  result.passed = judgement.passed;
  result.observed = judgement.observed;
  result.limit = judgement.limit;
  if (threshold.window_sec) result.window_sec = *threshold.window_sec;
  result.says = std::move(says);
  return result;
}

std::string window_text(const config::Threshold& threshold, double at_sec) {
  return fmt::format("the {} s that ended {:.1f} s into the load", threshold.window_sec.value_or(0), at_sec);
}

}  // namespace

PhaseThresholds::PhaseThresholds(const config::Config& config, std::size_t phase,
                                 const std::vector<PhaseReport>& earlier)
    : earlier_(earlier) {
  for (const config::Threshold& threshold : config.thresholds) {
    config::Expression expression = config::expression_of(threshold);
    if (!config::judges(threshold, expression, config.phases, phase)) continue;
    if (threshold.window_sec) windows_.try_emplace(*threshold.window_sec);
    watches_the_phase_ = watches_the_phase_ || (threshold.abort_on_fail && !threshold.window_sec);
    watched_.push_back({threshold, std::move(expression), {}, 0, {}, {}});
  }
}

void PhaseThresholds::look(const PhaseFold& fold) {
  if ((windows_.empty() && !watches_the_phase_) || fold.load_is_over()) return;
  const auto now = fold.counted();
  if (!now) return;
  look_at_windows(fold, *now, false);
  if (!watches_the_phase_) return;
  const PhaseReport so_far = fold.so_far();
  for (Watched& watched : watched_) judge_so_far(watched, so_far, sec_into_load(fold, *now));
}

void PhaseThresholds::look_at_windows(const PhaseFold& fold, const PipeTotals& now, bool unseen_only) {
  for (auto& [window_sec, window] : windows_) {
    window.newest.reset();
    if (unseen_only && window.seen) continue;
    if (!window.totals) window.totals.emplace(window_sec, fold.load_started().value_or(now.at_unix_us));
    if (const PipeTotals* start = window.totals->advance(now)) window.newest = fold.since(*start);
    window.seen = window.seen || window.newest;
  }
  for (Watched& watched : watched_) {
    if (!watched.threshold.window_sec) continue;
    const auto& newest = windows_.at(*watched.threshold.window_sec).newest;
    if (newest) judge_window(watched, *newest, sec_into_load(fold, now));
  }
}

void PhaseThresholds::judge_window(Watched& watched, const PhaseReport& window, double at_sec) {
  const Judgement judgement = judge(watched.expression, window, earlier_);
  if (!judgement.measured()) {
    watched.unmeasured = judgement.unmeasured;
    return;
  }
  if (!watched.worst || is_worse(watched.expression, judgement, *watched.worst)) {
    watched.worst = judgement;
    watched.worst_at_sec = at_sec;
  }
  const config::Threshold& threshold = watched.threshold;
  if (!threshold.abort_on_fail || watched.crossed || judgement.passed) return;
  if (at_sec < threshold.delay_abort_sec) return;
  ends_the_run_ = true;
  watched.crossed =
      result_with(threshold, judgement, fmt::format("{}; ended the run", window_text(threshold, at_sec)));
}

void PhaseThresholds::judge_so_far(Watched& watched, const PhaseReport& phase, double at_sec) {
  const config::Threshold& threshold = watched.threshold;
  if (!threshold.abort_on_fail || threshold.window_sec || watched.crossed) return;
  if (at_sec < threshold.delay_abort_sec) return;
  const Judgement judgement = judge(watched.expression, phase, earlier_);
  if (!judgement.measured() || judgement.passed) return;
  ends_the_run_ = true;
  watched.crossed =
      result_with(threshold, judgement, fmt::format("{:.1f} s into the load; ended the run", at_sec));
}

std::vector<ThresholdResult> PhaseThresholds::crossed() const {
  std::vector<ThresholdResult> results;
  for (const Watched& watched : watched_) {
    if (watched.crossed) results.push_back(*watched.crossed);
  }
  return results;
}

ThresholdResult PhaseThresholds::result_of(const Watched& watched, const PhaseReport& phase) const {
  const config::Threshold& threshold = watched.threshold;
  if (watched.crossed) return *watched.crossed;
  if (!threshold.window_sec) {
    const Judgement judgement = judge(watched.expression, phase, earlier_);
    return result_with(threshold, judgement,
                       judgement.measured() ? "" : "never measured: " + judgement.unmeasured);
  }
  if (watched.worst) {
    return result_with(threshold, *watched.worst, "worst in " + window_text(threshold, watched.worst_at_sec));
  }
  const std::string why = watched.unmeasured.empty()
                              ? fmt::format("no {} s of load passed", *threshold.window_sec)
                              : watched.unmeasured;
  return result_with(threshold, {}, "never measured: " + why);
}

void PhaseThresholds::settle(const PhaseFold& fold, PhaseReport& report) {
  // A window as long as the load is whole only at its very end, when its last Samples may come too late for
  // the last look: then the workers' final figures stand in for them.
  if (const auto final_totals = fold.counted()) look_at_windows(fold, *final_totals, true);
  for (const Watched& watched : watched_) {
    report.thresholds.push_back(result_of(watched, report));
    const config::Threshold& threshold = watched.threshold;
    // A window that was seen while the load was on has had its say; what is told of the end is new.
    const bool has_spoken = threshold.window_sec && watched.worst;
    const bool may_end = threshold.abort_on_fail && !has_spoken &&
                         report.duration_sec.value_or(0) >= threshold.delay_abort_sec;
    ends_the_run_ = ends_the_run_ || (may_end && !report.thresholds.back().passed);
  }
  const bool all_passed = std::all_of(report.thresholds.begin(), report.thresholds.end(),
                                      [](const ThresholdResult& result) { return result.passed; });
  if (!all_passed && report.outcome == Outcome::passed) report.outcome = Outcome::thresholds_crossed;
}

}  // namespace walstorm::measure
