#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/block_layout.h"
#include "consumer/byte_buffer.h"
#include "consumer/pgoutput_message.h"
#include "proto/wire/lsn.h"

namespace walstorm::consumer {

/// A row as the stream told it.
struct Row {
  Tuple values;
  /// Where a value that is "unchanged TOAST" is found: the old tuple of REPLICA IDENTITY FULL, or empty.
  Tuple before = {};
  wire::Lsn version = {};
  bool deleted = false;
  /// Only the key was sent: what else the table requires is filled in with ClickHouse's defaults.
  bool key_only = false;
};

/// Rows in ClickHouse's Native format, column by column, encoded as they arrive: straight from the receive
/// buffer into the columns' buffers, which are kept from one use to the next, so that nothing is allocated
/// per row. https://clickhouse.com/docs/interfaces/formats/Native
class NativeBlock final {
 public:
  /// Empties the block for rows of `layout`, which is shared with the relation cache: the table may change
  /// while blocks of its old shape are still on their way.
  void reset(const std::shared_ptr<const BlockLayout>& layout);

  /// Throws Error{data} for a value that cannot be landed; the block is of no use then.
  void append(const Row& row);

  /// Appends the block as it goes over the wire: columns, rows, then of each column its name, type and data.
  void serialize(std::string& out) const;

  [[nodiscard]] const std::shared_ptr<const BlockLayout>& layout() const { return layout_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// Of column data held.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Of memory held for it.
  [[nodiscard]] std::uint64_t capacity_bytes() const;

 private:
  struct Column {
    std::string header;  // name and type
    ByteBuffer prefix;   // Nullable: a byte per row; Array: the cumulated number of elements per row
    ByteBuffer data;
    std::uint64_t elements = 0;  // of an Array
  };

  void append_value(std::size_t index, const Value& value);
  void append_absent(std::size_t index, bool key_only);
  void append_string(ByteBuffer& out, std::string_view text);
  void append_strings(Column& column);
  template <typename T>
  void append_number(ByteBuffer& out, T number);
  template <typename T>
  void append_parsed(std::size_t index, std::optional<T> number);
  [[noreturn]] void refuse(std::size_t index, const std::string& why) const;

  std::shared_ptr<const BlockLayout> layout_;
  std::vector<Column> columns_;  // those of the layout, then _version and _is_deleted
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  wire::Lsn row_version_;  // of the row being appended, for messages
  // Reused by append_strings.
  std::vector<std::optional<std::string_view>> elements_;
  std::string unescaped_;
};

}  // namespace walstorm::consumer
