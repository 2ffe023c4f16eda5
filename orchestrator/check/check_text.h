#pragma once

#include <string>
#include <vector>

#include "orchestrator/check/finding.h"

namespace walstorm::check {

/// Findings about one thing: the server, this machine.
struct Section {
  std::string title;
  std::vector<Finding> findings;
};

/// Whether a run could start: no problem among the findings.
[[nodiscard]] bool is_ready(const std::vector<Section>& sections);

/// What `walstorm check` prints: a line for each finding, what to do below it, and the sum of it all.
[[nodiscard]] std::string check_text(const std::vector<Section>& sections);

}  // namespace walstorm::check
