#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace walstorm::producer {

/// Values of rows in PostgreSQL's binary form (the output of each type's typsend function), one after another
/// in one reused buffer: no allocation once it has grown to the largest use.
///
/// A row is laid out as a tuple of COPY BINARY: the number of fields (int16), then each field's length
/// (int32, -1 for null) and bytes. So bytes() is COPY data as it stands, and the same values serve as bind
/// parameters and for comparing with a binary SELECT.
class EncodedRows final {
 public:
  struct Field {
    std::uint32_t offset = 0;
    std::int32_t length = 0;  ///< -1: null
  };

  void clear() {
    used_ = 0;
    fields_.clear();
  }

  /// Begins a row of `columns` fields that need at most `room` bytes together, lengths included.
  void begin_row(std::size_t columns, std::size_t room) {
    if (bytes_.size() < used_ + room) bytes_.resize(std::max(used_ + room, bytes_.size() * 2));
    put(static_cast<std::uint16_t>(columns));
  }

  void add_null() {
    put(std::uint32_t{0xFFFF'FFFF});
    fields_.push_back({static_cast<std::uint32_t>(used_), -1});
  }

  void add(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    fields_.push_back({static_cast<std::uint32_t>(used_), static_cast<std::int32_t>(text.size())});
    std::memcpy(bytes_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }

  /// A field that is one number, in network byte order.
  template <typename Unsigned>
  void add_number(Unsigned value) {
    put(static_cast<std::uint32_t>(sizeof value));
    fields_.push_back({static_cast<std::uint32_t>(used_), static_cast<std::int32_t>(sizeof value)});
    put(value);
  }

  /// A field written in place: `fill` takes where to write and returns the end.
  template <typename Fill>
  void add_written(Fill&& fill) {
    const std::size_t at = used_;
    put(std::uint32_t{0});
    const char* const begin = bytes_.data() + used_;
    const auto length = static_cast<std::uint32_t>(fill(bytes_.data() + used_) - begin);
    used_ = at;
    put(length);
    fields_.push_back({static_cast<std::uint32_t>(used_), static_cast<std::int32_t>(length)});
    used_ += length;
  }

  /// All rows, as COPY BINARY data without header and trailer.
  [[nodiscard]] std::string_view bytes() const { return {bytes_.data(), used_}; }

  /// The fields of all rows, row by row.
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }

  /// Start of a field's bytes; valid until the next row.
  [[nodiscard]] const char* data(const Field& field) const { return bytes_.data() + field.offset; }

  template <typename Unsigned>
  static char* write_number(Unsigned value, char* out) {
    if constexpr (std::endian::native == std::endian::little) value = swapped(value);
    std::memcpy(out, &value, sizeof value);
    return out + sizeof value;
  }

 private:
  static std::uint16_t swapped(std::uint16_t value) { return __builtin_bswap16(value); }
  static std::uint32_t swapped(std::uint32_t value) { return __builtin_bswap32(value); }
  static std::uint64_t swapped(std::uint64_t value) { return __builtin_bswap64(value); }
  static std::uint8_t swapped(std::uint8_t value) { return value; }

  template <typename Unsigned>
  void put(Unsigned value) {
    write_number(value, bytes_.data() + used_);
    used_ += sizeof value;
  }

  std::vector<char> bytes_;  // its size is room; used_ is how much of it holds data
  std::size_t used_ = 0;
  std::vector<Field> fields_;
};

}  // namespace walstorm::producer
