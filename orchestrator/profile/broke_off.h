#pragma once

#include <algorithm>
#include <string>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::profile {

/// Of a phase that did not run to its end there is less than of one that did: "failed", "was interrupted";
/// empty for one that did, and for one that the report does not have.
[[nodiscard]] inline std::string broke_off(const measure::RunReport& report, const std::string& phase) {
  const auto found = std::find_if(report.phases.begin(), report.phases.end(),
                                  [&phase](const auto& each) { return each.name == phase; });
  if (found == report.phases.end()) return "";
  if (found->outcome == measure::Outcome::failed) return "failed";
  return found->outcome == measure::Outcome::interrupted ? "was interrupted" : "";
}

}  // namespace walstorm::profile
