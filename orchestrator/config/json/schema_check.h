#pragma once

#include <string>
#include <vector>

#include "orchestrator/config/json/problem.h"

namespace walstorm::config {

/// A value that breaks the schema, as the validator found it.
struct Violation {
  Pointer at;
  std::string says;  ///< the validator's words: for developers
};

/// Everything in `document` that breaks the schema: the verdict is valijson's, and this is the only file that
/// includes it. A value within an alternative or a list brings its parents along.
[[nodiscard]] std::vector<Violation> violations_of(const Json& document);

/// Whether `text` matches a "pattern" of the schema, by the validator's own idea of patterns.
[[nodiscard]] bool matches(const Json& text, const Json& pattern);

}  // namespace walstorm::config
