#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/clickhouse/features.h"
#include "orchestrator/clickhouse/session.h"
#include "orchestrator/measure/fold/phase_fold.h"
#include "orchestrator/measure/ledger/row_text.h"
#include "proto/wire/change_tally.h"

/// The table task_runs: of which shape it is, and what it holds of one run.
namespace walstorm::clickhouse {

/// A column's name and ClickHouse's type of it.
using TableColumns = std::vector<std::pair<std::string, std::string>>;

/// All that keeps the consumer from writing to a table of these columns, a line each, every column named;
/// empty when nothing does. More columns than needed are no harm.
[[nodiscard]] std::vector<std::string> column_problems(const TableColumns& columns);

/// Whether times are Int64 milliseconds, of a table without column_problems().
[[nodiscard]] bool times_are_int64(const TableColumns& columns);

/// What to select for each of kTaskRunColumns, in their order, to get a measure::RowText.
[[nodiscard]] std::vector<std::string> row_text_expressions(bool times_as_int64);

/// The table of one run's rows.
struct TaskRuns {
  std::string database;
  std::uint64_t run_number = 0;
  bool times_as_int64 = false;
  bool final_by_partition = false;  ///< Features
};

/// "`walstorm`.`task_runs`"
[[nodiscard]] std::string task_runs_table(const std::string& database);

/// Empty where there is no such table.
[[nodiscard]] TableColumns task_runs_columns(Session& session, const std::string& database);

/// Throws Error{unavailable} that names what is different, unless the table is one that the consumer can
/// write to and the ledger can count.
void require_fitting_table(Session& session, const std::string& database, const TableColumns& columns);

/// A SELECT whose row is (active parts of this run, parts that inserts have made since its first); it reads
/// the catalog alone.
[[nodiscard]] Statement parts_query(const TaskRuns& run);
[[nodiscard]] measure::PartsSample parts_of(const Rows& rows);

/// See target::Target. A server out of reach is tried again as long as the session says.
[[nodiscard]] wire::RowTally tally_rows(Session& session, const TaskRuns& run, std::chrono::seconds timeout,
                                        int interrupts_tolerated);
[[nodiscard]] measure::RowTexts read_rows(Session& session, const TaskRuns& run,
                                          const std::vector<std::string>& ids, int interrupts_tolerated);

}  // namespace walstorm::clickhouse
