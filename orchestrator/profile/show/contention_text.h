#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "orchestrator/profile/analysis/contention.h"

namespace walstorm::profile {

struct ContentionReport {
  std::vector<LockWaits> all;                                          ///< all phases together
  std::vector<std::pair<std::string, std::vector<LockWaits>>> phases;  ///< by phase
};

/// Of profile.json: its key "contention".
[[nodiscard]] nlohmann::ordered_json contention_json(const ContentionReport& report);
/// As Markdown: "## Contention" and what is below it; `folder` is where the files are.
[[nodiscard]] std::string contention_section(const ContentionReport& report, const std::string& folder);
/// For the run's summary: a conclusion for each target.
[[nodiscard]] std::vector<std::string> contention_lines(const ContentionReport& report);

}  // namespace walstorm::profile
