#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "proto/wire/error.h"

/// Reading an object whose keys may be missing, as files of earlier versions lack those of later ones.
namespace walstorm::text {

/// The member, or null where there is none.
[[nodiscard]] inline const nlohmann::json& field(const nlohmann::json& object, const char* key) {
  static const nlohmann::json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

/// True for JSON that T can hold as it is: nlohmann_json would turn 3.7 into 3 and -5 into 4294967291.
template <typename T>
[[nodiscard]] bool holds(const nlohmann::json& json) {
  if constexpr (std::is_same_v<T, bool>) {
    return json.is_boolean();
  } else if constexpr (std::is_unsigned_v<T>) {
    return json.is_number_unsigned() && json.get<std::uint64_t>() <= std::numeric_limits<T>::max();
  } else if constexpr (std::is_integral_v<T>) {
    return json.is_number_integer();
  } else if constexpr (std::is_floating_point_v<T>) {
    return json.is_number();
  } else {
    return json.is_string();
  }
}

/// Puts the member into `value`, and leaves that alone where the member is missing or null. Throws
/// Error{data} that names the key when it is of another type.
template <typename T>
void take(const nlohmann::json& object, const char* key, T& value) {
  const nlohmann::json& found = field(object, key);
  if (found.is_null()) return;
  if (!holds<T>(found))
    throw wire::Error(wire::ErrorKind::data, fmt::format("\"{}\" is of a wrong type", key));
  value = found.get<T>();
}
template <typename T>
void take(const nlohmann::json& object, const char* key, std::optional<T>& value) {
  if (!field(object, key).is_null()) take(object, key, value.emplace());
}
inline void take(const nlohmann::json& object, const char* key, std::vector<std::string>& values) {
  for (const nlohmann::json& each : field(object, key)) {
    if (!each.is_string())
      throw wire::Error(wire::ErrorKind::data, fmt::format("\"{}\" holds no texts", key));
    values.push_back(each.get<std::string>());
  }
}
template <typename T>
void take(const nlohmann::json& object, const char* key, std::map<std::string, T>& values) {
  for (const auto& [name, unused] : field(object, key).items())
    take(field(object, key), name.c_str(), values[name]);
}

}  // namespace walstorm::text
