#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/decode/byte_reader.h"
#include "consumer/decode/pgoutput_message.h"

/// Column values from PostgreSQL's two wire forms: binary as each type's typsend function writes it, text as
/// its output function does with DateStyle ISO. Both can occur in one tuple: a type without typsend arrives
/// as text even when binary was asked for. All return nullopt for bytes that are not in the form, or that the
/// target cannot hold. `value` is of kind text or binary.
namespace walstorm::consumer {

using TextElements = std::vector<std::optional<std::string_view>>;

template <std::signed_integral T>
[[nodiscard]] std::optional<T> read_integer(const Value& value) {
  if (value.kind == ValueKind::binary) {
    if (value.bytes.size() != sizeof(T)) return std::nullopt;
    return load_big_endian<T>(value.bytes.data());
  }
  T number{};
  const char* const end = value.bytes.data() + value.bytes.size();
  const auto [stop, error] = std::from_chars(value.bytes.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

/// float8, with NaN and the infinities.
[[nodiscard]] std::optional<double> read_double(const Value& value);

[[nodiscard]] std::optional<bool> read_bool(const Value& value);

/// timestamptz as milliseconds since 1970, rounded towards the past. "infinity" is nullopt.
[[nodiscard]] std::optional<std::int64_t> read_timestamp_ms(const Value& value);

/// Reads a text[] of one dimension into `elements`; NULL elements are nullopt. The elements point into
/// `value` or into `unescaped`, which holds those that were quoted. False when it is not one.
[[nodiscard]] bool read_text_array(const Value& value, TextElements& elements, std::string& unescaped);

}  // namespace walstorm::consumer
