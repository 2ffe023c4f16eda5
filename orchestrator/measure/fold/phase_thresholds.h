#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/fold/phase_fold.h"
#include "orchestrator/measure/fold/sliding_totals.h"
#include "orchestrator/measure/judge/threshold.h"

namespace walstorm::measure {

/// The thresholds of one phase: looked at while it runs, settled when it has ended.
///
/// One over the whole phase is judged by the phase's report. One with a window is judged once a second over
/// the last windowSec of the load, and the worst window counts. One with abortOnFail is judged once a second
/// in any case, by the phase so far or its window: the first look that finds it crossed settles it. Costs
/// nothing while the phase has only thresholds of the first kind.
class PhaseThresholds final {
 public:
  /// `phase` is an index of `config.phases`; `earlier` are the reports of the phases before it. Both outlive
  /// this.
  PhaseThresholds(const config::Config& config, std::size_t phase, const std::vector<PhaseReport>& earlier);

  /// Once a second while the load is on.
  void look(const PhaseFold& fold);

  /// A threshold with abortOnFail has been crossed, in a look or at the end: the load is to end if it is
  /// still on, and no later phase to run.
  [[nodiscard]] bool ends_the_run() const { return ends_the_run_; }
  /// Those that a look found crossed, as they were then.
  [[nodiscard]] std::vector<ThresholdResult> crossed() const;

  /// Puts the results into the phase's settled report; a report that had passed until then has not any more
  /// when one of them failed.
  void settle(const PhaseFold& fold, PhaseReport& report);

 private:
  struct Watched {
    config::Threshold threshold;
    config::Expression expression;
    std::optional<Judgement> worst;          // of all windows
    double worst_at_sec = 0;                 // into the load, where that window ended
    std::string unmeasured;                  // what the newest window without a judgement lacked
    std::optional<ThresholdResult> crossed;  // and the run ends for it
  };
  /// The windows of one length.
  struct Window {
    std::optional<SlidingTotals> totals;  // from the load's start on
    std::optional<PhaseReport> newest;    // nullopt: this look told of none
    bool seen = false;                    // a look did
  };

  void look_at_windows(const PhaseFold& fold, const PipeTotals& now, bool unseen_only);
  void judge_window(Watched& watched, const PhaseReport& window, double at_sec);
  void judge_so_far(Watched& watched, const PhaseReport& phase, double at_sec);
  [[nodiscard]] ThresholdResult result_of(const Watched& watched, const PhaseReport& phase) const;

  const std::vector<PhaseReport>& earlier_;
  std::vector<Watched> watched_;
  std::map<unsigned, Window> windows_;  // by windowSec
  bool ends_the_run_ = false;
  bool watches_the_phase_ = false;  // a threshold without a window may end the run
};

}  // namespace walstorm::measure
