#include "producer/statements.h"

#include <fmt/format.h>

namespace walstorm::producer {
namespace {

std::string table() {
  return fmt::format("\"{}\"", wire::kTaskRunTable);
}

std::string column_list(Columns columns) {
  std::string list;
  for (const std::uint8_t column : columns) {
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", wire::kTaskRunColumns[column].name);
  }
  return list;
}

/// "($1, $2), ($3, $4)"
std::string values_list(std::size_t columns, std::size_t rows) {
  std::string list;
  for (std::size_t row = 0; row < rows; ++row) {
    list += row == 0 ? "(" : "), (";
    for (std::size_t column = 0; column < columns; ++column) {
      list += fmt::format("{}${}", column == 0 ? "" : ", ", row * columns + column + 1);
    }
  }
  return list + ")";
}

/// src/include/catalog/pg_type.dat: these never change.
unsigned type_oid(wire::ColumnType type) {
  switch (type) {
    case wire::ColumnType::text:
      return 25;
    case wire::ColumnType::text_array:
      return 1009;
    case wire::ColumnType::integer:
      return 23;
    case wire::ColumnType::bigint:
      return 20;
    case wire::ColumnType::double_precision:
      return 701;
    case wire::ColumnType::boolean:
      return 16;
    case wire::ColumnType::timestamptz:
      return 1184;
  }
  return 0;
}

}  // namespace

std::string insert_sql(std::size_t rows) {
  return fmt::format("INSERT INTO {} ({}) VALUES {}", table(), column_list(kAllColumns),
                     values_list(kAllColumns.size(), rows));
}

std::string update_sql(std::size_t rows) {
  std::string assignments;
  for (const std::uint8_t column : kUpdateColumns) {
    if (column == kIdColumn[0]) continue;
    assignments += fmt::format("{}\"{}\" = v.\"{}\"", assignments.empty() ? "" : ", ",
                               wire::kTaskRunColumns[column].name, wire::kTaskRunColumns[column].name);
  }
  return fmt::format("UPDATE {} t SET {} FROM (VALUES {}) v ({}) WHERE t.\"id\" = v.\"id\"", table(),
                     assignments, values_list(kUpdateColumns.size(), rows), column_list(kUpdateColumns));
}

std::string delete_sql(std::size_t rows) {
  // A row of its own for a list of one-column rows: "($1, $2)".
  return fmt::format("DELETE FROM {} WHERE \"id\" IN {}", table(), values_list(rows, 1));
}

std::string select_sql(std::size_t rows) {
  return fmt::format("SELECT {} FROM {} WHERE \"id\" IN {}", column_list(kAllColumns), table(),
                     values_list(rows, 1));
}

std::string copy_sql() {
  return fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", table(), column_list(kAllColumns));
}

std::vector<unsigned> parameter_types(Columns columns, std::size_t rows) {
  std::vector<unsigned> types;
  types.reserve(columns.size() * rows);
  for (std::size_t row = 0; row < rows; ++row) {
    for (const std::uint8_t column : columns) types.push_back(type_oid(wire::kTaskRunColumns[column].type));
  }
  return types;
}

}  // namespace walstorm::producer
