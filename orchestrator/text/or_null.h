#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace walstorm::text {

/// A figure that was not measured, and a text that is not there, is null: never 0 or "".
template <typename T>
[[nodiscard]] nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

[[nodiscard]] inline nlohmann::ordered_json or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

}  // namespace walstorm::text
