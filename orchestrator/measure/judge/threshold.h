#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/expression.h"
#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

/// A threshold's expression with the figures of a report put in.
struct Judgement {
  std::optional<double> observed, limit;  ///< the left side and the right side; nullopt: not measured
  bool passed = false;                    ///< both were measured, and the comparison holds
  std::string unmeasured;                 ///< why a side is nullopt: the figures that are, a division by 0

  [[nodiscard]] bool measured() const { return observed && limit; }
};

/// `earlier`: the reports of the phases before, for phase('name').
[[nodiscard]] Judgement judge(const config::Expression& expression, const PhaseReport& phase,
                              const std::vector<PhaseReport>& earlier);

/// Whether `a` is further from passing than `b`; both measured, of the same expression.
[[nodiscard]] bool is_worse(const config::Expression& expression, const Judgement& a, const Judgement& b);

/// No threshold of any phase was crossed.
[[nodiscard]] bool thresholds_hold(const RunReport& report);

}  // namespace walstorm::measure
