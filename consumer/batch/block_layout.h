#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/decode/pgoutput_message.h"

namespace walstorm::consumer {

/// How a column's values are read from PostgreSQL and what they become in ClickHouse.
enum class ColumnKind : std::uint8_t {
  string,    ///< text, varchar, json, ...: String
  jsonb,     ///< String; its binary form has a version byte in front
  other,     ///< a type whose binary form we do not know: String, from its text form only
  int32,     ///< int4: Int32
  int64,     ///< int8: Int64
  hash,      ///< int8 `row_hash`: UInt64, the same bits
  float64,   ///< float8: Float64
  boolean,   ///< bool: UInt8
  datetime,  ///< timestamptz: DateTime64(3, 'UTC'), an Int64 of milliseconds since 1970
  strings,   ///< text[], varchar[]: Array(String); ClickHouse has no NULL array, so that is an empty one
  left_out,  ///< of any type: read past, and not landed
};

struct BlockColumn {
  std::string name;  ///< in ClickHouse
  ColumnKind kind = ColumnKind::string;
  bool nullable = false;
  std::uint32_t type_oid = 0;  ///< in PostgreSQL

  friend bool operator==(const BlockColumn&, const BlockColumn&) = default;
};

/// What every row has behind the table's own columns, in this order.
inline constexpr std::string_view kVersionColumn = "_version";     ///< UInt64: the LSN of the change
inline constexpr std::string_view kDeletedColumn = "_is_deleted";  ///< UInt8
inline constexpr std::string_view kRunColumn = "_run_id";          ///< UInt64: the same for all rows of a run

/// The columns of one PostgreSQL table as they land in ClickHouse, in PostgreSQL's order.
struct BlockLayout {
  std::string table;
  std::vector<BlockColumn> columns;
  std::size_t key = 0;       ///< the column that identifies a row in PostgreSQL
  std::size_t row_hash = 0;  ///< the column with the ledger's hash
  /// The columns that identify it in the sink (wire::kSortingKey), as far as the table has them.
  std::vector<std::size_t> sorting_key = {};

  friend bool operator==(const BlockLayout&, const BlockLayout&) = default;
};

/// Columns that wire::kTaskRunColumns names are nullable as it says, others always. Throws Error{data} when
/// the table has no key or no row_hash.
[[nodiscard]] BlockLayout make_block_layout(const Relation& relation);

/// Leaves out what a copied table has beyond wire::kTaskRunColumns: walstorm's table in ClickHouse has no
/// such columns. `layout` is that of `relation`.
void leave_out_other_columns(const Relation& relation, BlockLayout& layout);

/// "Nullable(String)", as CREATE TABLE and Native blocks spell it; with `times_as_int64` a time is an Int64.
[[nodiscard]] std::string clickhouse_type(const BlockColumn& column, bool times_as_int64);

/// The columns of a block's rows that land, in their order, as INSERT INTO t (...) takes them: "`id`, ...,
/// `_run_id`".
[[nodiscard]] std::string column_list(const BlockLayout& layout);

}  // namespace walstorm::consumer
