#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "orchestrator/profile/analysis/diff.h"

namespace walstorm::profile {

/// Tables for a terminal.
[[nodiscard]] std::string diff_text(const std::vector<TargetDiff>& diffs);
/// A few lines for a terminal: each target's conclusion, and the functions that changed most.
[[nodiscard]] std::string diff_summary(const std::vector<TargetDiff>& diffs);
/// As Markdown, without a heading.
[[nodiscard]] std::string diff_md(const std::vector<TargetDiff>& diffs);
/// The same with one: "### Profile beside the baseline".
[[nodiscard]] std::string diff_section(const std::vector<TargetDiff>& diffs, const std::string& base);
[[nodiscard]] nlohmann::ordered_json diff_json(const std::vector<TargetDiff>& diffs);

}  // namespace walstorm::profile
