#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "orchestrator/profile/analysis/diff.h"

namespace walstorm::profile {

/// Tables for a terminal.
[[nodiscard]] std::string diff_text(const std::vector<TargetDiff>& diffs);
/// As Markdown: "### Profile beside the baseline" and what is below it.
[[nodiscard]] std::string diff_section(const std::vector<TargetDiff>& diffs, const std::string& base);
[[nodiscard]] nlohmann::ordered_json diff_json(const std::vector<TargetDiff>& diffs);

}  // namespace walstorm::profile
