// The statements that write the rows of round_trip.h.

#include <algorithm>
#include <cstddef>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string>
#include <string_view>
#include <vector>

#include "proto/workload/task_run_table.h"
#include "tests/integration/round_trip.h"

namespace walstorm::tests {
namespace {

using wire::ColumnType;
using wire::kTaskRunColumns;
using wire::kTaskRunTable;
using wire::TaskRunColumn;

constexpr std::size_t kRowsInATransaction = 20;
// Hardly compressible, so that PostgreSQL moves it out of the row.
constexpr const char* kToasted = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) n)";
constexpr const char* kMegabyte = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 32768) n)";

const std::vector<std::string>& texts() {
  static const std::vector<std::string> edges = {
      "''",
      "' '",
      "'NULL'",
      R"('\N')",
      R"('it''s "quoted" `so`')",
      R"('C:\new\t\\ and \')",
      R"(E'tab\tline\nreturn\rback\bfeed\f bell\x07 one\x01 last\x1f delete\x7f')",
      R"(E'\n starts and ends \n')",
      R"('{"a": [1, null, "x\"y"], "b": "\u0000\ud83d"}')",
      R"('[1,2],"three"')",
      R"('{1,"2",NULL}')",
      R"(E'\u00e9\u4e2d\U0001F600\U0010FFFF')",
      R"(E'e\u0301 \u05d0\u200f \U0001F468\u200D\U0001F469 \uFEFF\u2028\uFFFF')",
      R"('0x00 %00 &amp; <b> ${x} {{y}}')",
      "repeat('x', 127)",
      "repeat('x', 128)",
      R"(repeat(E'\u00e9', 1000))",
  };
  return edges;
}

/// Of columns that no index holds.
const std::vector<std::string>& large_texts() {
  static const std::vector<std::string> edges = {
      "repeat('x', 16383)",
      "repeat('x', 16384)",
      kMegabyte,
      fmt::format(R"({} || E'"\\\n\U0001F600')", kMegabyte),
  };
  return edges;
}

const std::vector<std::string>& arrays() {
  static const std::vector<std::string> edges = {
      "'{}'::text[]",
      "ARRAY['']",
      "ARRAY[NULL]::text[]",
      "ARRAY['a', NULL, '', 'NULL', 'null', ' b ']",
      R"(ARRAY['quo"te', 'it''s', 'com,ma', 'bra{ce}', 'back\slash', '\', '"', ',', '{}'])",
      R"(ARRAY[E'line\nfeed\ttab\r', E'\u00e9\U0001F600', E'e\u0301', '[1]', '\N'])",
      "ARRAY['x', 'x', 'x']",
      "'[5:6]={a,b}'::text[]",
      "(SELECT array_agg(n::text) FROM generate_series(1, 1000) n)",
      fmt::format("ARRAY['small', {}, NULL]", kMegabyte),
  };
  return edges;
}

const std::vector<std::string>& integers() {
  static const std::vector<std::string> edges = {"0",   "1",   "-1",    "127",        "128",
                                                 "255", "256", "65536", "2147483647", "-2147483648"};
  return edges;
}

const std::vector<std::string>& bigints() {
  static const std::vector<std::string> edges = {"0",
                                                 "-1",
                                                 "2147483648",
                                                 "-4294967297",
                                                 "9007199254740993",
                                                 "9223372036854775807",
                                                 "'-9223372036854775808'::bigint"};
  return edges;
}

const std::vector<std::string>& doubles() {
  static const std::vector<std::string> edges = {"0",
                                                 "'-0'::float8",
                                                 "0.1",
                                                 "-1.5",
                                                 "0.30000000000000004",
                                                 "9007199254740993",
                                                 "1e22",
                                                 "1e23",
                                                 "123456789012345680",
                                                 "1e-7",
                                                 "1e21",
                                                 "1e308",
                                                 "5e-324",
                                                 "1.7976931348623157e308",
                                                 "-1.7976931348623157e308",
                                                 "3e-323",
                                                 "2.2250738585072014e-308",
                                                 "2.225073858507201e-308",
                                                 "'NaN'",
                                                 "'Infinity'",
                                                 "'-Infinity'",
                                                 "1e16",
                                                 "4.35",
                                                 "2.3e-5"};
  return edges;
}

const std::vector<std::string>& times() {
  static const std::vector<std::string> edges = {
      "'1970-01-01 00:00:00+00'",     "'1969-12-31 23:59:59.999+00'", "'1969-12-31 23:59:59+00'",
      "'1900-01-01 00:00:00.123+00'", "'1899-12-31 23:59:59.999+00'", "'0001-01-01 00:00:00.001+00'",
      "'1999-12-31 23:59:59.999+00'", "'2000-01-01 00:00:00+00'",     "'2024-02-29 12:34:56.789+05:30'",
      "'2024-11-03 01:30:00-04'",     "'2024-11-03 01:30:00-05'",     "'2038-01-19 03:14:08.001+00'",
      "'2106-02-07 06:28:16+00'",     "'2200-01-01 00:00:00.001+00'", "'2299-12-31 23:59:59.999+00'",
      "'9999-12-31 23:59:59.999+00'"};
  return edges;
}

std::vector<std::string> edges_of(const TaskRunColumn& column) {
  std::vector<std::string> edges;
  switch (column.type) {
    case ColumnType::text:
      edges = texts();
      if (column.name == "payload" || column.nullable) {
        edges.insert(edges.end(), large_texts().begin(), large_texts().end());
      }
      break;
    case ColumnType::text_array:
      edges = arrays();
      break;
    case ColumnType::integer:
      edges = integers();
      break;
    case ColumnType::bigint:
      edges = bigints();
      break;
    case ColumnType::double_precision:
      edges = doubles();
      break;
    case ColumnType::boolean:
      edges = {"true", "false"};
      break;
    case ColumnType::timestamptz:
      edges = times();
      break;
  }
  if (column.nullable) edges.emplace_back("NULL");
  return edges;
}

std::string plain_value(const TaskRunColumn& column, const std::string& id) {
  if (column.name == "id") return fmt::format("'{}'", id);
  if (column.name == "row_hash") return fmt::format("hashtextextended('{}', 1)", id);
  switch (column.type) {
    case ColumnType::text:
      return "'plain'";
    case ColumnType::text_array:
      return "ARRAY['one', 'two']";
    case ColumnType::integer:
    case ColumnType::bigint:
      return "7";
    case ColumnType::double_precision:
      return "0.5";
    case ColumnType::boolean:
      return "false";
    case ColumnType::timestamptz:
      return "'2024-05-06 07:08:09.012+00'";
  }
  return "";
}

std::string insert_row(const std::string& id, std::string_view edge_column = "",
                       const std::string& edge = "") {
  std::vector<std::string> names;
  std::vector<std::string> values;
  for (const TaskRunColumn& column : kTaskRunColumns) {
    names.push_back(fmt::format("\"{}\"", column.name));
    values.push_back(column.name == edge_column ? edge : plain_value(column, id));
  }
  return fmt::format("INSERT INTO \"{}\" ({}) VALUES ({});\n", kTaskRunTable, fmt::join(names, ", "),
                     fmt::join(values, ", "));
}

std::string update_row(const std::string& id, const std::string& assignments) {
  return fmt::format("UPDATE \"{}\" SET {} WHERE id = '{}';\n", kTaskRunTable, assignments, id);
}

std::string row_id(const TaskRunColumn& column, std::size_t edge) {
  return fmt::format("{}-{}", column.name, edge);
}

std::string transaction(const std::string& statements) {
  return "BEGIN;\n" + statements + "COMMIT;";
}

/// In transactions of a few statements each.
std::vector<std::string> in_transactions(const std::vector<std::string>& statements) {
  std::vector<std::string> transactions;
  for (std::size_t i = 0; i < statements.size(); i += kRowsInATransaction) {
    const std::size_t end = std::min(i + kRowsInATransaction, statements.size());
    transactions.push_back(
        transaction(fmt::format("{}", fmt::join(statements.begin() + static_cast<std::ptrdiff_t>(i),
                                                statements.begin() + static_cast<std::ptrdiff_t>(end), ""))));
  }
  return transactions;
}

/// Updates that leave the TOASTed values of rows "toast-..." alone, and some that change one of them.
std::string updates_of_toasted_rows() {
  return update_row("toast-1", "attempt = attempt + 1, row_hash = row_hash + 1") +
         update_row("toast-1", "attempt = attempt + 1, row_hash = row_hash + 1") +
         update_row("toast-2", "output = NULL, row_hash = 2") +
         update_row("toast-3", fmt::format("error = {} || 'changed', row_hash = 3", kToasted)) +
         update_row("toast-4", "id = 'toast-4-moved', row_hash = 4") +
         update_row("toast-5", "\"createdAt\" = '2031-01-01', row_hash = 5") +
         update_row("toast-6", "\"organizationId\" = 'another', payload = 'small', row_hash = 6");
}

/// Rows that move, meet, go and come back.
std::string updates_of_keys() {
  const std::string remove = fmt::format("DELETE FROM \"{}\" WHERE id = ", kTaskRunTable);
  return update_row("key-1", "id = 'key-1-moved'") + update_row("key-1-moved", "id = 'key-1', attempt = 8") +
         update_row("key-2", "id = 'key-between'") + update_row("key-3", "id = 'key-2'") +
         update_row("key-between", "id = 'key-3'") + update_row("key-4", "attempt = attempt") +
         update_row("key-5", "attempt = 1") + remove + "'key-5';\n" + remove + "'key-6';\n" +
         insert_row("key-6", "status", "'anew'") + insert_row("key-10") + remove + "'key-10';\n" +
         update_row("key-8", "\"createdAt\" = '2030-01-01'") +
         update_row("key-8", "\"createdAt\" = '2024-05-06 07:08:09.012+00', attempt = 9") +
         update_row("key-9", "\"projectId\" = 'p', \"environmentId\" = 'e', queue = 'q'");
}

}  // namespace

std::vector<std::string> edge_inserts() {
  std::vector<std::string> rows;
  for (const TaskRunColumn& column : kTaskRunColumns) {
    const std::vector<std::string> edges = edges_of(column);
    for (std::size_t i = 0; i < edges.size(); ++i) {
      rows.push_back(insert_row(row_id(column, i), column.name, edges[i]));
    }
  }
  for (int i = 1; i <= 9; ++i) rows.push_back(insert_row(fmt::format("key-{}", i)));
  for (int i = 1; i <= 6; ++i) {
    const std::string id = fmt::format("toast-{}", i);
    rows.push_back(
        insert_row(id) +
        update_row(id,
                   fmt::format(
                       "payload = {0}, output = {0} || 'o', error = {0} || 'e', tags = ARRAY[{0}, NULL, ''], "
                       "\"parentRunId\" = {0}",
                       kToasted)));
  }
  return in_transactions(rows);
}

std::vector<std::string> edge_updates() {
  std::vector<std::string> updates;
  for (const TaskRunColumn& column : kTaskRunColumns) {
    const std::vector<std::string> edges = edges_of(column);
    for (std::size_t i = 0; i < edges.size(); ++i) {
      if (column.name == "id") {
        updates.push_back(
            fmt::format("UPDATE \"{0}\" SET id = id || '-moved', row_hash = {1} WHERE id = {2};\n",
                        kTaskRunTable, i, edges[i]));
      } else {
        updates.push_back(update_row(row_id(column, i),
                                     fmt::format("\"{}\" = {}", column.name, edges[(i + 1) % edges.size()])));
      }
    }
  }
  std::vector<std::string> transactions = in_transactions(updates);
  transactions.push_back(transaction(updates_of_toasted_rows()));
  transactions.push_back(transaction(updates_of_keys()));
  return transactions;
}

std::vector<std::string> edge_deletes() {
  return {fmt::format("DELETE FROM \"{}\" WHERE row_hash % 2 = 0;", kTaskRunTable),
          fmt::format("DELETE FROM \"{}\" WHERE id IN ('toast-1', 'key-1');", kTaskRunTable),
          insert_row("toast-1", "status", "'anew'"), insert_row("key-1", "status", "'anew'")};
}

}  // namespace walstorm::tests
