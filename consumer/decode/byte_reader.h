#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <string_view>
#include <type_traits>

#include "proto/wire/error.h"

namespace walstorm::consumer {

/// Reads a big-endian number of type T from `bytes`, which must hold at least sizeof(T).
template <typename T>
[[nodiscard]] T load_big_endian(const char* bytes) {
  static_assert(std::endian::native == std::endian::little, "walstorm is built for little-endian machines");
  std::make_unsigned_t<T> value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (sizeof value == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof value == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof value == 8) value = __builtin_bswap64(value);
  return static_cast<T>(value);
}

/// Takes numbers and strings in PostgreSQL's wire form off the front of a message. Whatever is not there
/// throws Error{protocol}: a length is never trusted.
class ByteReader final {
 public:
  explicit ByteReader(std::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  template <typename T>
  [[nodiscard]] T number() {
    need(sizeof(T));
    const T value = load_big_endian<T>(at_);
    at_ += sizeof(T);
    return value;
  }

  [[nodiscard]] char character() {
    need(1);
    return *at_++;
  }

  [[nodiscard]] std::string_view bytes(std::size_t count) {
    need(count);
    const std::string_view taken(at_, count);
    at_ += count;
    return taken;
  }

  /// A zero-terminated string.
  [[nodiscard]] std::string_view string() {
    const void* zero = std::memchr(at_, '\0', remaining());
    if (zero == nullptr) truncated(remaining() + 1);
    const std::string_view taken(at_, static_cast<std::size_t>(static_cast<const char*>(zero) - at_));
    at_ += taken.size() + 1;
    return taken;
  }

  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  void need(std::size_t count) const {
    if (remaining() < count) [[unlikely]]
      truncated(count);
  }

  [[noreturn]] void truncated(std::size_t wanted) const {
    throw wire::Error(
        wire::ErrorKind::protocol,
        fmt::format("a WAL message of {} bytes ends too early: {} more bytes wanted at offset {}",
                    end_ - begin_, wanted, offset()));
  }

  const char* begin_;
  const char* at_;
  const char* end_;
};

}  // namespace walstorm::consumer
