#pragma once

#include <concepts>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "orchestrator/text/format.h"

/// How what was measured becomes JSON: what was not, and a text that is not there, is null, never 0 or "".
namespace walstorm::text {

/// A figure that was measured, rounded; null for one that is not finite, too. What was given and not measured
/// (a setting, the value of a trial) is no figure: it is written as it is.
[[nodiscard]] nlohmann::ordered_json or_null(const std::optional<double>& figure);

template <typename T>
[[nodiscard]] nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

[[nodiscard]] inline nlohmann::ordered_json or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

/// A count is never null and never rounded: it would be taken for a figure.
[[nodiscard]] nlohmann::ordered_json or_null(std::integral auto count) = delete;

}  // namespace walstorm::text
