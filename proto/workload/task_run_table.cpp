#include "proto/workload/task_run_table.h"

#include <cctype>
#include <fmt/format.h>

namespace walstorm::wire {

std::string snake_case(std::string_view camel_case) {
  std::string snake;
  char before = '_';
  for (const char c : camel_case) {
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (upper && before != '_' && std::isupper(static_cast<unsigned char>(before)) == 0) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    before = c;
  }
  return snake;
}

std::string_view postgres_type_name(ColumnType type) {
  switch (type) {
    case ColumnType::text:
      return "text";
    case ColumnType::text_array:
      return "text[]";
    case ColumnType::integer:
      return "integer";
    case ColumnType::bigint:
      return "bigint";
    case ColumnType::double_precision:
      return "double precision";
    case ColumnType::boolean:
      return "boolean";
    case ColumnType::timestamptz:
      return "timestamp(3) with time zone";
  }
  return "";
}

std::string create_task_run_sql() {
  std::string sql = fmt::format("CREATE TABLE \"{}\" (\n", kTaskRunTable);
  for (const TaskRunColumn& column : kTaskRunColumns) {
    sql += fmt::format("  \"{}\" {}{},\n", column.name, postgres_type_name(column.type),
                       column.nullable ? "" : " NOT NULL");
  }
  return sql + "  PRIMARY KEY (\"id\")\n)";
}

std::string phase_end_marker(std::string_view run_id, unsigned phase_index) {
  return fmt::format("phase-end {} {}", run_id, phase_index);
}

}  // namespace walstorm::wire
