#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Texts from outside (a server's answer, a log line, an argument) come in any encoding. Protobuf refuses a
/// string that is not UTF-8, and JSON and XML cannot hold one: each is made valid where it enters.
namespace walstorm::wire {

/// `bytes` with U+FFFD for every byte that belongs to no UTF-8 character (The Unicode Standard, table 3-7:
/// no overlong forms, surrogates, or what lies beyond U+10FFFF); what is valid stays as it is.
[[nodiscard]] std::string to_utf8(std::string_view bytes);

/// The beginning of a valid text, of `bytes_max` at most, cut between two characters.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace walstorm::wire
