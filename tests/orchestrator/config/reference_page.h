#pragma once

#include <string>

namespace walstorm::config {

/// docs/config-reference.md: every key of configs/walstorm.schema.json with its type, range, default and
/// meaning, as Markdown. `./dev docs` writes it anew; a test compares.
[[nodiscard]] std::string reference_page();

}  // namespace walstorm::config
