#include "tests/integration/round_trip.h"

#include <algorithm>
#include <cstddef>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <optional>
#include <string_view>

#include <pqxx/nontransaction>
#include <pqxx/result>

#include "proto/workload/task_run_table.h"

namespace walstorm::tests {
namespace {

using measure::RowText;
using wire::ColumnType;
using wire::kTaskRunColumns;
using wire::TaskRunColumn;

constexpr std::size_t kDifferencesShown = 20;
constexpr std::size_t kValueShown = 60;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string_view::npos; begin = end + 1) {
    end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end - begin));
  }
  return parts;
}

std::string unhex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return bytes;
}

/// `value` brought to RowText's form by PostgreSQL.
std::string postgres_text(const TaskRunColumn& column) {
  std::string value = fmt::format("\"{}\"", column.name);
  switch (column.type) {
    case ColumnType::text:
    case ColumnType::integer:
    case ColumnType::bigint:
      return value + "::text";
    case ColumnType::text_array:
      return fmt::format(
          "(SELECT coalesce(string_agg(octet_length(coalesce(e, '')) || ':' || coalesce(e, ''), '' ORDER BY "
          "n), '')"
          " FROM unnest({}) WITH ORDINALITY AS element(e, n))",
          value);
    case ColumnType::boolean:
      return value + "::integer::text";
    case ColumnType::double_precision:
      return fmt::format("('x' || encode(float8send({}), 'hex'))::bit(64)::bigint::text", value);
    case ColumnType::timestamptz:
      return fmt::format("(extract(epoch FROM {}) * 1000)::bigint::text", value);
  }
  return value;
}

/// The same by ClickHouse; texts in hex, so that no byte of them is escaped on the way.
std::string clickhouse_text(const TaskRunColumn& column, bool times_as_int64) {
  std::string value = fmt::format("`{}`", wire::snake_case(column.name));
  switch (column.type) {
    case ColumnType::text:
      return fmt::format("hex({})", value);
    case ColumnType::text_array:
      return fmt::format("hex(arrayStringConcat(arrayMap(e -> concat(toString(length(e)), ':', e), {})))",
                         value);
    case ColumnType::integer:
    case ColumnType::boolean:
      return fmt::format("toString({})", value);
    case ColumnType::bigint:
      return fmt::format("toString(toInt64({}))",
                         value);  // also of row_hash, which is the same bits unsigned
    case ColumnType::double_precision:
      return fmt::format("toString(reinterpretAsInt64(reinterpretAsString({})))", value);
    case ColumnType::timestamptz:
      return fmt::format("toString({})",
                         times_as_int64 ? value : fmt::format("toUnixTimestamp64Milli({})", value));
  }
  return value;
}

bool is_hex(const TaskRunColumn& column) {
  return column.type == ColumnType::text || column.type == ColumnType::text_array;
}

std::string shown(const std::optional<std::string>& value) {
  if (!value) return "NULL";
  if (value->size() <= kValueShown) return fmt::format("'{}'", *value);
  return fmt::format("'{}...' ({} bytes)", value->substr(0, kValueShown), value->size());
}

}  // namespace

TextRows rows_in_postgres(pqxx::connection& connection) {
  std::vector<std::string> columns;
  columns.reserve(kTaskRunColumns.size());
  for (const TaskRunColumn& column : kTaskRunColumns) columns.push_back(postgres_text(column));
  pqxx::nontransaction session(connection);
  const pqxx::result result =
      session.exec(fmt::format("SELECT {} FROM \"{}\"", fmt::join(columns, ", "), wire::kTaskRunTable));
  TextRows rows;
  for (const auto& fields : result) {
    RowText row;
    for (const auto& field : fields) {
      row.push_back(field.is_null() ? std::nullopt : std::optional(std::string(field.c_str(), field.size())));
    }
    rows.emplace(row.front().value_or(""), std::move(row));
  }
  return rows;
}

std::string landed_rows_sql(const std::string& table, std::uint64_t run_number, bool times_as_int64) {
  std::vector<std::string> columns;
  columns.reserve(kTaskRunColumns.size());
  for (const TaskRunColumn& column : kTaskRunColumns)
    columns.push_back(clickhouse_text(column, times_as_int64));
  return fmt::format("SELECT {} FROM {} FINAL WHERE _is_deleted = 0 AND _run_id = {}",
                     fmt::join(columns, ", "), table, run_number);
}

TextRows rows_of_answer(const std::string& answer) {
  TextRows rows;
  std::vector<std::string> lines = split(answer, '\n');
  lines.pop_back();  // behind the last line's end
  for (const std::string& line : lines) {
    const std::vector<std::string> fields = split(line, '\t');
    if (fields.size() != kTaskRunColumns.size()) {
      ADD_FAILURE() << fields.size() << " columns: " << line.substr(0, 1000);
      return rows;
    }
    RowText row;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i] == "\\N") {
        row.emplace_back(std::nullopt);
      } else {
        row.emplace_back(is_hex(kTaskRunColumns[i]) ? unhex(fields[i]) : fields[i]);
      }
    }
    const std::string id = row.front().value_or("");
    EXPECT_TRUE(rows.emplace(id, std::move(row)).second) << "twice in ClickHouse: " << shown(id);
  }
  return rows;
}

std::vector<std::string> differences(const TextRows& postgres, const TextRows& clickhouse) {
  std::vector<std::string> found;
  for (const auto& [id, row] : postgres) {
    const auto landed = clickhouse.find(id);
    if (landed == clickhouse.end()) {
      found.push_back(fmt::format("{} has not landed", shown(id)));
      continue;
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] == landed->second[i]) continue;
      found.push_back(fmt::format("{}: {} is {} in PostgreSQL, {} in ClickHouse", shown(id),
                                  kTaskRunColumns[i].name, shown(row[i]), shown(landed->second[i])));
    }
  }
  for (const auto& [id, row] : clickhouse) {
    if (!postgres.contains(id)) found.push_back(fmt::format("{} is in ClickHouse alone", shown(id)));
  }
  if (found.size() > kDifferencesShown) {
    const std::string rest = fmt::format("and {} more", found.size() - kDifferencesShown);
    found.resize(kDifferencesShown);
    found.push_back(rest);
  }
  return found;
}

}  // namespace walstorm::tests
