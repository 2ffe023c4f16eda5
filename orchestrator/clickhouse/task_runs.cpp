#include "orchestrator/clickhouse/task_runs.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::clickhouse {
namespace {

using std::chrono::seconds;
using wire::ColumnType;
using wire::Error;
using wire::ErrorKind;

/// FINAL over everything a run wrote, for a few rows of it: minutes on an old server.
constexpr seconds kReadTimeout{900};
/// A statement is at most 256 KiB long (ClickHouse's max_query_size).
constexpr std::size_t kIdsPerStatement = 2000;

constexpr const char* kInt64Times = "Int64";
constexpr const char* kDateTimes = "DateTime64(3";  // with or without a time zone

/// The types that a column may have; those of times are told apart by times_are_int64().
std::vector<std::string> types_of(const wire::TaskRunColumn& column) {
  switch (column.type) {
    case ColumnType::text:
      return {"String", "LowCardinality(String)"};
    case ColumnType::text_array:
      return {"Array(String)"};
    case ColumnType::integer:
      return {"Int32"};
    case ColumnType::bigint:
      return {column.name == "row_hash" ? "UInt64" : "Int64"};
    case ColumnType::double_precision:
      return {"Float64"};
    case ColumnType::boolean:
      return {"UInt8"};
    case ColumnType::timestamptz:
      return {kInt64Times, "DateTime64(3, 'UTC')", "DateTime64(3)"};
  }
  return {};
}

struct Expected {
  std::string name;
  std::vector<std::string> types;  ///< any of them
  bool is_time = false;
};

std::vector<Expected> expected_columns() {
  std::vector<Expected> columns;
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns) {
    Expected expected{wire::snake_case(column.name), types_of(column),
                      column.type == ColumnType::timestamptz};
    for (std::string& type : expected.types) {
      if (column.nullable) type = fmt::format("Nullable({})", type);
    }
    columns.push_back(std::move(expected));
  }
  columns.push_back({"_version", {"UInt64"}});
  columns.push_back({"_is_deleted", {"UInt8"}});
  columns.push_back({"_run_id", {"UInt64"}});
  return columns;
}

/// The type of column `name`; nullptr where there is none.
const std::string* type_of(const TableColumns& columns, const std::string& name) {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.first == name; });
  return found == columns.end() ? nullptr : &found->second;
}

std::string row_text_expression(const wire::TaskRunColumn& column, bool times_as_int64) {
  std::string name = quoted_name(wire::snake_case(column.name));
  switch (column.type) {
    case ColumnType::text:
      return name;
    case ColumnType::text_array:
      return fmt::format("arrayStringConcat(arrayMap(x -> concat(toString(length(x)), ':', x), {}))", name);
    case ColumnType::integer:
    case ColumnType::boolean:
      return fmt::format("toString({})", name);
    case ColumnType::bigint:
      return fmt::format("toString(toInt64({}))", name);
    case ColumnType::double_precision:
      // 18.16 reinterprets text alone. Little endian: the zero bytes that reinterpretAsString leaves out are
      // the high ones, which reinterpretAsInt64 puts back.
      return fmt::format("toString(reinterpretAsInt64(reinterpretAsString({})))", name);
    case ColumnType::timestamptz:
      return fmt::format("toString({})",
                         times_as_int64 ? name : fmt::format("toUnixTimestamp64Milli({})", name));
  }
  return name;
}

std::uint64_t number_in(const std::optional<std::string>& field) {
  std::uint64_t value = 0;
  const std::string text = field.value_or("");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(ErrorKind::protocol,
                fmt::format("ClickHouse answered \"{}\" where a number was asked for", text));
  return value;
}

/// A SELECT of this run's live rows as a query sees them.
Statement select_live(const TaskRuns& run, const std::string& what, const std::string& condition) {
  Statement select{.sql = fmt::format("SELECT {} FROM {} FINAL WHERE _run_id = {} AND _is_deleted = 0{}",
                                      what, task_runs_table(run.database), run.run_number, condition)};
  // A row's versions share their partition: what the partition goes by is part of the sorting key.
  if (run.final_by_partition) select.settings["do_not_merge_across_partitions_select_final"] = "1";
  return select;
}

}  // namespace

std::vector<std::string> column_problems(const TableColumns& columns) {
  std::vector<std::string> problems;
  std::set<bool> int64_times;
  for (const Expected& expected : expected_columns()) {
    const std::string* type = type_of(columns, expected.name);
    if (type == nullptr) {
      problems.push_back(fmt::format("{} is missing", expected.name));
    } else if (std::find(expected.types.begin(), expected.types.end(), *type) == expected.types.end()) {
      problems.push_back(
          fmt::format("{} is {}, not {}", expected.name, *type, fmt::join(expected.types, " or ")));
    } else if (expected.is_time) {
      int64_times.insert(type->find(kDateTimes) == std::string::npos);
    }
  }
  if (int64_times.size() > 1) problems.emplace_back("some times are Int64 and others DateTime64");
  return problems;
}

bool times_are_int64(const TableColumns& columns) {
  const std::string* type = type_of(columns, "created_at");
  return type != nullptr && *type == kInt64Times;
}

std::vector<std::string> row_text_expressions(bool times_as_int64) {
  std::vector<std::string> expressions;
  expressions.reserve(wire::kTaskRunColumns.size());
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns)
    expressions.push_back(row_text_expression(column, times_as_int64));
  return expressions;
}

std::string task_runs_table(const std::string& database) {
  return quoted_name(database) + ".`task_runs`";
}

TableColumns task_runs_columns(Session& session, const std::string& database) {
  TableColumns columns;
  for (const auto& row :
       session.ask("look at the table task_runs",
                   {.sql = fmt::format(
                        "SELECT name, type FROM system.columns WHERE database = {} AND table = 'task_runs'",
                        quoted_text(database))},
                   kStepTimeout, 0)) {
    columns.emplace_back(row[0].value_or(""), row[1].value_or(""));
  }
  return columns;
}

void require_fitting_table(Session& session, const std::string& database, const TableColumns& columns) {
  std::vector<std::string> problems = column_problems(columns);
  const Rows engine = session.ask(
      "look at the table task_runs",
      {.sql = fmt::format("SELECT engine FROM system.tables WHERE database = {} AND name = 'task_runs'",
                          quoted_text(database))},
      kStepTimeout, 0);
  const std::string name = engine.empty() ? "nothing" : engine[0][0].value_or("");
  if (name.find("ReplacingMergeTree") == std::string::npos)
    problems.push_back(fmt::format("its engine is {}, not ReplacingMergeTree", name));
  if (problems.empty()) return;
  throw Error(
      ErrorKind::unavailable,
      fmt::format(
          "ClickHouse's table {} is not walstorm's: {}. Name another database with clickhouse.database",
          task_runs_table(database), fmt::join(problems, "; ")));
}

Statement parts_query(const TaskRuns& run) {
  // Block numbers count through the table, and a merged part keeps the range that it covers. Parts merged
  // away are listed for some minutes more: they are within a range that is counted already.
  return {.sql = fmt::format(
              "SELECT countIf(active), max(max_block_number) - min(min_block_number) + 1, count() FROM "
              "system.parts WHERE database = {} AND table = 'task_runs' AND partition_id LIKE '{}-%'",
              quoted_text(run.database), run.run_number)};
}

measure::PartsSample parts_of(const Rows& rows) {
  if (rows.empty() || number_in(rows[0][2]) == 0) return {};
  return {number_in(rows[0][0]), number_in(rows[0][1])};
}

wire::RowTally tally_rows(Session& session, const TaskRuns& run, seconds timeout, int interrupts_tolerated) {
  const Rows rows =
      session.ask("count the rows", select_live(run, "count(), groupBitXor(row_hash), sum(row_hash)", ""),
                  timeout, interrupts_tolerated, Session::WhenLost::retry);
  if (rows.empty()) return {};
  return {number_in(rows[0][0]), number_in(rows[0][1]), number_in(rows[0][2])};
}

measure::RowTexts read_rows(Session& session, const TaskRuns& run, const std::vector<std::string>& ids,
                            int interrupts_tolerated) {
  const std::string columns = fmt::format("{}", fmt::join(row_text_expressions(run.times_as_int64), ", "));
  measure::RowTexts found;
  for (std::size_t from = 0; from < ids.size(); from += kIdsPerStatement) {
    std::vector<std::string> asked;
    for (std::size_t i = from; i < std::min(ids.size(), from + kIdsPerStatement); ++i)
      asked.push_back(quoted_text(ids[i]));
    for (auto& row : session.ask(
             "read rows", select_live(run, columns, fmt::format(" AND id IN ({})", fmt::join(asked, ", "))),
             kReadTimeout, interrupts_tolerated, Session::WhenLost::retry)) {
      const std::string id = row[wire::task_run_column("id")].value_or("");
      found[id] = std::move(row);
    }
  }
  return found;
}

}  // namespace walstorm::clickhouse
