#include "proto/wire/lsn.h"

#include <charconv>
#include <fmt/format.h>

#include "proto/wire/error.h"

namespace walstorm::wire {
namespace {

bool parse_half(std::string_view text, std::uint32_t& half) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, half, 16);
  return error == std::errc{} && stop == end && !text.empty() && text.size() <= 8;
}

}  // namespace

std::string to_string(Lsn lsn) {
  return fmt::format("{:X}/{:X}", lsn.value >> 32, lsn.value & 0xFFFFFFFFU);
}

Lsn parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  if (slash == std::string_view::npos || !parse_half(text.substr(0, slash), high) ||
      !parse_half(text.substr(slash + 1), low)) {
    throw Error(ErrorKind::protocol, fmt::format("read an LSN such as 16/B374D848: got \"{}\"", text));
  }
  return Lsn{(std::uint64_t{high} << 32) | low};
}

}  // namespace walstorm::wire
