#include "producer/postgres/statements.h"

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

/// pg_type.dat again: the type of an array of them.
unsigned array_oid(wire::ColumnType type) {
  switch (type) {
    case wire::ColumnType::text:
    case wire::ColumnType::text_array:
      return 1009;
    case wire::ColumnType::integer:
      return 1007;
    case wire::ColumnType::bigint:
      return 1016;
    case wire::ColumnType::double_precision:
      return 1022;
    case wire::ColumnType::boolean:
      return 1000;
    case wire::ColumnType::timestamptz:
      return 1185;
  }
  return 0;
}

/// "unnest($1, $2) v ("id", "status")"
std::string unnested(Columns columns) {
  std::string arrays;
  for (std::size_t i = 1; i <= columns.size(); ++i) arrays += fmt::format("{}${}", i == 1 ? "" : ", ", i);
  return fmt::format("unnest({}) v ({})", arrays, column_list(columns));
}

/// v."tags"::text[]: a column of unnested() as the table has it.
std::string unnested_column(std::uint8_t column) {
  const wire::TaskRunColumn& is = wire::kTaskRunColumns[column];
  return fmt::format("v.\"{}\"{}", is.name, is.type == wire::ColumnType::text_array ? "::text[]" : "");
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

std::string insert_unnest_sql() {
  std::string selected;
  for (const std::uint8_t column : kAllColumns) {
    selected += fmt::format("{}{}", selected.empty() ? "" : ", ", unnested_column(column));
  }
  return fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}", table(), column_list(kAllColumns), selected,
                     unnested(kAllColumns));
}

std::string update_unnest_sql() {
  std::string assignments;
  for (const std::uint8_t column : kUpdateColumns) {
    if (column == kIdColumn[0]) continue;
    assignments += fmt::format("{}\"{}\" = {}", assignments.empty() ? "" : ", ",
                               wire::kTaskRunColumns[column].name, unnested_column(column));
  }
  return fmt::format("UPDATE {} t SET {} FROM {} WHERE t.\"id\" = v.\"id\"", table(), assignments,
                     unnested(kUpdateColumns));
}

std::string delete_unnest_sql() {
  return fmt::format("DELETE FROM {} t USING {} WHERE t.\"id\" = v.\"id\"", table(), unnested(kIdColumn));
}

std::vector<unsigned> array_types(Columns columns) {
  std::vector<unsigned> types;
  for (const std::uint8_t column : columns) types.push_back(array_oid(wire::kTaskRunColumns[column].type));
  return types;
}

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

unsigned element_oid(wire::ColumnType type) {
  return type_oid(type == wire::ColumnType::text_array ? wire::ColumnType::text : type);
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
