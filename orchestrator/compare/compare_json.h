#pragma once

#include <cstdint>
#include <string>

#include "orchestrator/compare/comparison.h"

namespace walstorm::compare {

inline constexpr const char* kCompareFile = "compare.json";

/// The file's text: both sides' runs, what differs between them, every figure of every phase, and the gates.
/// `compared_at_unix_us`: when. A change from 0 has no number: null.
[[nodiscard]] std::string compare_json(const Comparison& comparison, std::int64_t compared_at_unix_us);

}  // namespace walstorm::compare
