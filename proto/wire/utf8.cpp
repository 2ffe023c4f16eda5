#include "proto/wire/utf8.h"

namespace walstorm::wire {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

bool continues(std::string_view bytes, std::size_t index) {
  return index < bytes.size() && (at(bytes, index) & 0xC0U) == 0x80U;
}

/// Of the character that `bytes` begins with; 0 when it begins with none.
std::size_t length_of_first(std::string_view bytes) {
  const unsigned lead = at(bytes, 0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !continues(bytes, 1)) return 0;
  if (lead < 0xE0) return 2;
  const unsigned second = at(bytes, 1);
  if (!continues(bytes, 2)) return 0;
  if (lead < 0xF0) {
    const bool overlong = lead == 0xE0 && second < 0xA0;
    const bool surrogate = lead == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = lead == 0xF0 && second < 0x90;
  const bool beyond = lead == 0xF4 && second > 0x8F;
  return overlong || beyond || !continues(bytes, 3) ? 0 : 4;
}

}  // namespace

std::string to_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = length_of_first(bytes);
    text += length == 0 ? kReplacement : bytes.substr(0, length);
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (at(text, end) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace walstorm::wire
