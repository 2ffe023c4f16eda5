#include "consumer/encode/json_compact_encoder.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace walstorm::consumer {
namespace {

/// JSON escapes these, and nothing else has to be.
bool is_escaped(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

/// The first byte that is escaped, or `end`.
const char* find_escaped(const char* at, const char* end) {
  // Eight bytes at a time. (x - n) & ~x has the high bit of the lowest byte that is less than n, and of none
  // below it, for n up to 128; a byte that equals c is less than 1 once c was taken out.
  constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
  constexpr std::uint64_t kHighBits = 0x80 * kOnes;
  static_assert(std::endian::native == std::endian::little, "the lowest byte is to be the first");
  for (; end - at >= 8; at += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    const std::uint64_t quotes = bytes ^ ('"' * kOnes);
    const std::uint64_t backslashes = bytes ^ ('\\' * kOnes);
    const std::uint64_t found = (((bytes - 0x20 * kOnes) & ~bytes) | ((quotes - kOnes) & ~quotes) |
                                 ((backslashes - kOnes) & ~backslashes)) &
                                kHighBits;
    if (found != 0) return at + std::countr_zero(found) / 8;
  }
  while (at != end && !is_escaped(*at)) ++at;
  return at;
}

}  // namespace

JsonCompactEncoder::JsonCompactEncoder(const BlockForm& form)
    : tails_{fmt::format(",0,{}]\n", form.run_number), fmt::format(",1,{}]\n", form.run_number)} {}

void JsonCompactEncoder::number(std::size_t, double number) {
  if (std::isfinite(number)) [[likely]] {
    append_number(number);
    rows_.append(',');
  } else if (std::isnan(number)) {
    rows_.append(std::string_view("\"nan\","));
  } else {
    rows_.append(std::string_view(number > 0 ? "\"inf\"," : "\"-inf\","));
  }
}

void JsonCompactEncoder::strings(std::size_t, const TextElements& elements) {
  rows_.append('[');
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) rows_.append(',');
    // ClickHouse has no NULL inside Array(String): it lands as an empty string.
    append_text(elements[i].value_or(std::string_view()));
  }
  rows_.append(std::string_view("],"));
}

void JsonCompactEncoder::append_text(std::string_view text) {
  rows_.append('"');
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    const char* const stop = find_escaped(at, end);
    rows_.append(std::string_view(at, static_cast<std::size_t>(stop - at)));
    if (stop == end) break;
    append_escaped(*stop);
    at = stop + 1;
  }
  rows_.append('"');
}

void JsonCompactEncoder::append_escaped(char c) {
  constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  if (const std::size_t found = kPlain.find(c); found != std::string_view::npos) {
    char* const out = rows_.extend(2);
    out[0] = '\\';
    out[1] = kLetters[found];
    return;
  }
  char* const out = rows_.extend(6);
  std::string_view("\\u00").copy(out, 4);
  out[4] = kHexDigits[static_cast<unsigned char>(c) >> 4U];
  out[5] = kHexDigits[static_cast<unsigned char>(c) & 0xFU];
}

}  // namespace walstorm::consumer
