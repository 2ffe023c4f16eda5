#pragma once

#include <string>
#include <vector>

#include "orchestrator/config/json/problem.h"

namespace walstorm::config {

/// What a JSON text says, read more strictly than nlohmann_json does by itself.
struct ParsedJson {
  Json value;
  std::vector<Pointer> given_twice;  ///< keys that an object holds more than once; the last one is in `value`
  std::string error;                 ///< "line 3, column 5: ..." when it is not JSON; `value` is null then
};

/// True for the first byte of each UTF-8 character: to count characters.
[[nodiscard]] inline bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

/// 5000, not 5000.0: a whole number is an integer.
[[nodiscard]] Json number_json(double value);

/// Whole numbers come out as integers however they are written (60.0, 5e3), as draft-07 wants it.
/// `error` never holds any of the text, which may be a secret.
[[nodiscard]] ParsedJson parse_json(const std::string& text);

}  // namespace walstorm::config
