#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "producer/rows/encoded_rows.h"
#include "producer/rows/row_source.h"

namespace walstorm::producer {

/// Rows turned into columns: for each column an array of all rows' values, in the binary form of its type
/// (array_send), one after another in one reused buffer.
class ColumnArrays final {
 public:
  /// Of `rows`, which hold `columns` each. A column that is an array itself becomes texts, each an array
  /// literal.
  void fill(const EncodedRows& rows, Columns columns);

  /// Of the column that is number `at` of `columns`; valid until the next fill.
  [[nodiscard]] std::string_view array(std::size_t at) const;

 private:
  void begin_array(unsigned element_oid, std::size_t rows, bool has_null, std::size_t room);

  std::vector<char> bytes_;  // its size is room; used_ is how much of it holds data
  std::size_t used_ = 0;
  std::vector<std::size_t> ends_;
};

/// The literal ('{"a","b"}') of a one-dimensional text array without nulls in binary form: written at `out`,
/// which has room for twice its bytes; returns the end.
char* write_array_literal(std::string_view binary, char* out);

}  // namespace walstorm::producer
