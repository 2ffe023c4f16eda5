#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "consumer/decode/column_value.h"
#include "consumer/encode/block_form.h"
#include "consumer/encode/byte_buffer.h"
#include "consumer/encode/clickhouse_binary.h"

namespace walstorm::consumer {

/// ClickHouse's RowBinary format: row by row, the values as Native has them, with neither names nor types.
/// https://clickhouse.com/docs/interfaces/formats/RowBinary
class RowBinaryEncoder final {
 public:
  static constexpr bool kValueUnderNull = false;

  explicit RowBinaryEncoder(const BlockForm& form) : run_number_(form.run_number) {}

  void clear() { rows_.clear(); }
  void set_layout(const BlockLayout&) {}

  void begin_row() {}
  void present(std::size_t) { rows_.append_number(std::uint8_t{0}); }
  void null(std::size_t) { rows_.append_number(std::uint8_t{1}); }

  template <typename Number>
  void number(std::size_t, Number number) {
    rows_.append_number(number);
  }

  void string(std::size_t, std::string_view text) { append_string(rows_, text); }

  void strings(std::size_t, const TextElements& elements) {
    append_varint(rows_, elements.size());
    // ClickHouse has no NULL inside Array(String): it lands as an empty string.
    for (const auto& element : elements) append_string(rows_, element.value_or(std::string_view()));
  }

  void end_row(wire::Lsn version, bool deleted) {
    rows_.append_number(version.value);
    rows_.append_number(static_cast<std::uint8_t>(deleted));
    rows_.append_number(run_number_);
  }

  void serialize(std::uint64_t, std::string& out) const { out += rows_.view(); }

  [[nodiscard]] std::uint64_t bytes() const { return rows_.size(); }
  [[nodiscard]] std::uint64_t capacity_bytes() const { return rows_.capacity(); }

 private:
  std::uint64_t run_number_;
  ByteBuffer rows_;
};

}  // namespace walstorm::consumer
