#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/config/finding.h"

namespace walstorm::check {

/// Findings about one thing: the server, this machine.
struct Section {
  std::string title;
  std::vector<config::Finding> findings;
};

/// Whether a run could start: no problem among the findings.
[[nodiscard]] bool is_ready(const std::vector<Section>& sections);

/// "12 MB", rounded up, or "3.4 GB": what has to fit somewhere.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// What `walstorm check` prints: a line for each finding, what to do below it, and the sum of it all.
[[nodiscard]] std::string check_text(const std::vector<Section>& sections);

}  // namespace walstorm::check
