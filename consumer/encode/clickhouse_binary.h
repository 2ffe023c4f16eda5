#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "consumer/encode/byte_buffer.h"

/// What ClickHouse's binary formats, Native and RowBinary, have in common.
namespace walstorm::consumer {

static_assert(std::endian::native == std::endian::little, "ClickHouse's binary formats are little-endian");

/// A length or a count: LEB128, as ClickHouse's writeVarUInt.
inline constexpr std::size_t kVarintBytesMax = 10;

/// Returns how many bytes of `out` it took.
inline std::size_t write_varint(std::uint64_t number, char* out) {
  std::size_t size = 0;
  for (; number >= 0x80; number >>= 7U) out[size++] = static_cast<char>(number | 0x80U);
  out[size++] = static_cast<char>(number);
  return size;
}

inline void append_varint(ByteBuffer& out, std::uint64_t number) {
  if (number < 0x80) [[likely]] {
    *out.extend(1) = static_cast<char>(number);
    return;
  }
  std::array<char, kVarintBytesMax> bytes;
  const std::size_t size = write_varint(number, bytes.data());
  std::memcpy(out.extend(size), bytes.data(), size);
}

/// A String: its length, then its bytes.
inline void append_string(ByteBuffer& out, std::string_view text) {
  append_varint(out, text.size());
  out.append(text);
}

}  // namespace walstorm::consumer
