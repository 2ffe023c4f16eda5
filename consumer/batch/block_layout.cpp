#include "consumer/batch/block_layout.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::consumer {
namespace {

constexpr std::string_view kKeyColumn = wire::kTaskRunColumns[wire::task_run_column("id")].name;
constexpr std::string_view kHashColumn = wire::kTaskRunColumns[wire::task_run_column("row_hash")].name;

/// By the type's object id, fixed for built-in types (src/include/catalog/pg_type.dat).
ColumnKind kind_of(const RelationColumn& column) {
  switch (column.type_oid) {
    case 16:  // bool
      return ColumnKind::boolean;
    case 20:  // int8
      return column.name == kHashColumn ? ColumnKind::hash : ColumnKind::int64;
    case 23:  // int4
      return ColumnKind::int32;
    case 25:    // text
    case 114:   // json
    case 1042:  // bpchar
    case 1043:  // varchar
      return ColumnKind::string;
    case 701:  // float8
      return ColumnKind::float64;
    case 1184:  // timestamptz
      return ColumnKind::datetime;
    case 1009:  // text[]
    case 1015:  // varchar[]
      return ColumnKind::strings;
    case 3802:
      return ColumnKind::jsonb;
    default:
      return ColumnKind::other;
  }
}

/// nullptr where the column is none of walstorm's.
const wire::TaskRunColumn* known(const RelationColumn& column) {
  const auto* const found = std::find_if(wire::kTaskRunColumns.begin(), wire::kTaskRunColumns.end(),
                                         [&](const wire::TaskRunColumn& c) { return c.name == column.name; });
  return found == wire::kTaskRunColumns.end() ? nullptr : found;
}

bool nullable(const RelationColumn& column, ColumnKind kind) {
  if (kind == ColumnKind::strings) return false;
  const wire::TaskRunColumn* const ours = known(column);
  return ours == nullptr || ours->nullable;
}

std::optional<std::size_t> find(const Relation& relation, std::string_view name) {
  const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                  [&](const RelationColumn& c) { return c.name == name; });
  if (found == relation.columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - relation.columns.begin());
}

std::size_t require(const Relation& relation, std::string_view name) {
  if (const auto found = find(relation, name)) return *found;
  throw wire::Error(wire::ErrorKind::data,
                    fmt::format("table {}.{} of the publication has no column {}: publish \"{}\" only",
                                relation.schema, relation.name, name, wire::kTaskRunTable));
}

void append_quoted(std::string& list, std::string_view name) {
  list += '`';
  for (const char c : name) {
    if (c == '`' || c == '\\') list += '\\';
    list += c;
  }
  list += '`';
}

}  // namespace

BlockLayout make_block_layout(const Relation& relation) {
  BlockLayout layout;
  layout.table = relation.name;
  layout.key = require(relation, kKeyColumn);
  layout.row_hash = require(relation, kHashColumn);
  for (const std::string_view name : wire::kSortingKey) {
    if (const auto column = find(relation, name)) layout.sorting_key.push_back(*column);
  }
  for (const RelationColumn& column : relation.columns) {
    const ColumnKind kind = kind_of(column);
    layout.columns.push_back({wire::snake_case(column.name), kind, nullable(column, kind), column.type_oid});
  }
  if (layout.columns[layout.row_hash].kind != ColumnKind::hash) {
    throw wire::Error(wire::ErrorKind::data,
                      fmt::format("column {} of {} is not a bigint", kHashColumn, relation.name));
  }
  return layout;
}

void leave_out_other_columns(const Relation& relation, BlockLayout& layout) {
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (known(relation.columns[i]) == nullptr) layout.columns[i].kind = ColumnKind::left_out;
  }
}

std::string clickhouse_type(const BlockColumn& column, bool times_as_int64) {
  std::string_view name = "String";
  switch (column.kind) {
    case ColumnKind::string:
    case ColumnKind::jsonb:
    case ColumnKind::other:
    case ColumnKind::left_out:
      break;
    case ColumnKind::int32:
      name = "Int32";
      break;
    case ColumnKind::int64:
      name = "Int64";
      break;
    case ColumnKind::hash:
      name = "UInt64";
      break;
    case ColumnKind::float64:
      name = "Float64";
      break;
    case ColumnKind::boolean:
      name = "UInt8";
      break;
    case ColumnKind::datetime:
      name = times_as_int64 ? "Int64" : "DateTime64(3, 'UTC')";
      break;
    case ColumnKind::strings:
      name = "Array(String)";
      break;
  }
  return column.nullable ? fmt::format("Nullable({})", name) : std::string(name);
}

std::string column_list(const BlockLayout& layout) {
  std::string list;
  for (const BlockColumn& column : layout.columns) {
    if (column.kind == ColumnKind::left_out) continue;
    append_quoted(list, column.name);
    list += ", ";
  }
  return list + fmt::format("`{}`, `{}`, `{}`", kVersionColumn, kDeletedColumn, kRunColumn);
}

}  // namespace walstorm::consumer
