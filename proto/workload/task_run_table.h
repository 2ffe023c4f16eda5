#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace walstorm::wire {

/// The types of "TaskRun"'s columns. PostgreSQL's binary form of each is in its typsend function.
enum class ColumnType { text, text_array, integer, bigint, double_precision, boolean, timestamptz };

struct TaskRunColumn {
  std::string_view name;
  ColumnType type;
  bool nullable;
};

/// The workload's table, modelled on a job queue's run record. The producer writes these columns in this
/// order, the orchestrator creates and checks them, the consumer lands them (names in snake_case) in
/// ClickHouse.
inline constexpr std::string_view kTaskRunTable = "TaskRun";

inline constexpr std::array<TaskRunColumn, 26> kTaskRunColumns{{
    {"id", ColumnType::text, false},
    {"friendlyId", ColumnType::text, false},
    {"taskIdentifier", ColumnType::text, false},
    {"status", ColumnType::text, false},
    {"organizationId", ColumnType::text, false},
    {"projectId", ColumnType::text, false},
    {"environmentId", ColumnType::text, false},
    {"queue", ColumnType::text, false},
    {"payload", ColumnType::text, false},
    {"payloadType", ColumnType::text, false},
    {"output", ColumnType::text, true},
    {"error", ColumnType::text, true},
    {"tags", ColumnType::text_array, false},
    {"traceId", ColumnType::text, false},
    {"spanId", ColumnType::text, false},
    {"parentRunId", ColumnType::text, true},
    {"attempt", ColumnType::integer, false},
    {"isTest", ColumnType::boolean, false},
    {"usageDurationMs", ColumnType::bigint, false},
    {"costInCents", ColumnType::double_precision, false},
    {"baseCostInCents", ColumnType::double_precision, false},
    {"createdAt", ColumnType::timestamptz, false},
    {"updatedAt", ColumnType::timestamptz, false},
    {"startedAt", ColumnType::timestamptz, true},
    {"completedAt", ColumnType::timestamptz, true},
    {"row_hash", ColumnType::bigint, false},
}};

/// Where `name` stands in kTaskRunColumns; a name that is not there does not compile.
consteval std::size_t task_run_column(std::string_view name) {
  for (std::size_t i = 0; i < kTaskRunColumns.size(); ++i) {
    if (kTaskRunColumns[i].name == name) return i;
  }
  throw "no such column";
}

/// The columns that ClickHouse tells rows apart by: its table's ORDER BY, in this order, but for `_run_id`.
/// An update that changes one of them makes another row there, so the old one has to be deleted.
inline constexpr std::array<std::string_view, 5> kSortingKey{
    kTaskRunColumns[task_run_column("organizationId")].name,
    kTaskRunColumns[task_run_column("projectId")].name,
    kTaskRunColumns[task_run_column("environmentId")].name,
    kTaskRunColumns[task_run_column("createdAt")].name,
    kTaskRunColumns[task_run_column("id")].name,
};

/// A column's name in ClickHouse: friendlyId -> friendly_id.
[[nodiscard]] std::string snake_case(std::string_view camel_case);

/// PostgreSQL's name of the type, as in CREATE TABLE: "timestamp(3) with time zone".
[[nodiscard]] std::string_view postgres_type_name(ColumnType type);

/// CREATE TABLE "TaskRun" (...), unqualified, so that search_path decides where.
[[nodiscard]] std::string create_task_run_sql();

/// The content of a WAL message with prefix kMarkerPrefix that ends phase `phase_index`: every change before
/// it in the stream belongs to that phase or an earlier one.
inline constexpr std::string_view kMarkerPrefix = "walstorm";
[[nodiscard]] std::string phase_end_marker(std::string_view run_id, unsigned phase_index);

}  // namespace walstorm::wire
