#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "consumer/decode/column_value.h"
#include "consumer/encode/block_form.h"
#include "consumer/encode/byte_buffer.h"

namespace walstorm::consumer {

/// ClickHouse's JSONCompactEachRow format: of each row a JSON array, on a line of its own.
/// https://clickhouse.com/docs/interfaces/formats/JSONCompactEachRow
///
/// As SerializationNumber and SerializationDateTime64 in ClickHouse's source read it: integers of 64 bits are
/// exact, a bare integer in a DateTime64(3) is its number of milliseconds, whatever the column's time zone,
/// and a double that is not finite has to stand in quotes.
class JsonCompactEncoder final {
 public:
  static constexpr bool kValueUnderNull = false;

  explicit JsonCompactEncoder(const BlockForm& form);

  void clear() { rows_.clear(); }
  void set_layout(const BlockLayout&) {}

  void begin_row() { rows_.append('['); }
  void present(std::size_t) {}
  void null(std::size_t) { rows_.append(std::string_view("null,")); }

  template <typename Integer>
  void number(std::size_t, Integer number) {
    append_number(number);
    rows_.append(',');
  }
  void number(std::size_t, double number);

  void string(std::size_t, std::string_view text) {
    append_text(text);
    rows_.append(',');
  }

  void strings(std::size_t column, const TextElements& elements);

  void end_row(wire::Lsn version, bool deleted) {
    append_number(version.value);
    rows_.append(std::string_view(tails_[deleted ? 1 : 0]));
  }

  void serialize(std::uint64_t, std::string& out) const { out += rows_.view(); }

  [[nodiscard]] std::uint64_t bytes() const { return rows_.size(); }
  [[nodiscard]] std::uint64_t capacity_bytes() const { return rows_.capacity(); }

 private:
  /// More than the longest number: -1.2345678901234567e-308.
  static constexpr std::size_t kNumberRoom = 32;

  template <typename Number>
  void append_number(Number number) {
    char* const room = rows_.room(kNumberRoom);
    // Of a double the shortest text that reads back as the same one.
    rows_.used(static_cast<std::size_t>(std::to_chars(room, room + kNumberRoom, number).ptr - room));
  }

  /// In quotes, escaped. Bytes above ASCII go through as they are.
  void append_text(std::string_view text);
  void append_escaped(char c);

  ByteBuffer rows_;
  std::array<std::string, 2> tails_;  // behind the version of a row that is live, and of one that is deleted
};

}  // namespace walstorm::consumer
