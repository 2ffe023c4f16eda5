#pragma once

#include <string>
#include <vector>

namespace walstorm::config {

/// The candidate that `word` is most likely a misspelling of, upper and lower case alike; empty when none is
/// near enough: at most a third of its letters differ.
[[nodiscard]] std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace walstorm::config
