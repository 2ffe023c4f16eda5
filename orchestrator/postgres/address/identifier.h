#pragma once

#include <string>
#include <string_view>

namespace walstorm::postgres {

/// A name as an SQL identifier, for statements that a person is told to run: "my ""own"" database".
[[nodiscard]] inline std::string quoted_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace walstorm::postgres
