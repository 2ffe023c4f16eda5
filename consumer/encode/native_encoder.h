#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/decode/column_value.h"
#include "consumer/encode/block_form.h"
#include "consumer/encode/byte_buffer.h"
#include "consumer/encode/clickhouse_binary.h"

namespace walstorm::consumer {

/// ClickHouse's Native format: column by column, each with its name, its type and its data.
/// https://clickhouse.com/docs/interfaces/formats/Native
///
/// Every column has a buffer of its own until the block is serialized. `_run_id`, which is the same in every
/// row, is made then.
class NativeEncoder final {
 public:
  static constexpr bool kValueUnderNull = true;

  explicit NativeEncoder(const BlockForm& form)
      : run_number_(form.run_number), times_as_int64_(form.times_as_int64) {}

  void clear();
  void set_layout(const BlockLayout& layout);

  void begin_row() {}
  void present(std::size_t column) { append(columns_[column].prefix, std::uint8_t{0}); }
  void null(std::size_t column) { append(columns_[column].prefix, std::uint8_t{1}); }

  template <typename Number>
  void number(std::size_t column, Number number) {
    append(columns_[column].data, number);
  }

  void string(std::size_t column, std::string_view text) { append_text(columns_[column].data, text); }

  void strings(std::size_t column, const TextElements& elements) {
    Column& into = columns_[column];
    // ClickHouse has no NULL inside Array(String): it lands as an empty string.
    for (const auto& element : elements) append_text(into.data, element.value_or(std::string_view()));
    into.elements += elements.size();
    append(into.prefix, into.elements);
  }

  void end_row(wire::Lsn version, bool deleted) {
    append(columns_[columns_.size() - 2].data, version.value);
    append(columns_[columns_.size() - 1].data, static_cast<std::uint8_t>(deleted));
  }

  void serialize(std::uint64_t rows, std::string& out) const;

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t capacity_bytes() const;

 private:
  struct Column {
    std::string header;  // name and type; empty for one that is left out
    ByteBuffer prefix;   // Nullable: a byte per row; Array: the cumulated number of elements per row
    ByteBuffer data;
    std::uint64_t elements = 0;  // of an Array
  };

  template <typename Number>
  void append(ByteBuffer& out, Number number) {
    out.append_number(number);
    bytes_ += sizeof number;
  }

  void append_text(ByteBuffer& out, std::string_view text) {
    const std::size_t before = out.size();
    append_string(out, text);
    bytes_ += out.size() - before;
  }

  std::uint64_t run_number_;
  bool times_as_int64_;
  std::vector<Column> columns_;  // those of the layout, then _version and _is_deleted
  std::uint64_t bytes_ = 0;
};

}  // namespace walstorm::consumer
