#pragma once

#include <string>

#include "orchestrator/compare/comparison.h"

/// A comparison as people read it.
namespace walstorm::compare {

/// For the terminal: what differs, what must not be overlooked, the gates, and for each phase the figures
/// that tell most and all others that changed beyond noise. `folder` is where the files are.
[[nodiscard]] std::string compare_text(const Comparison& comparison, const std::string& folder, bool colour);

/// The same as Markdown, with all figures.
[[nodiscard]] std::string compare_md(const Comparison& comparison);

}  // namespace walstorm::compare
