#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <pqxx/connection>

#include "orchestrator/measure/ledger/row_text.h"

/// Every type of "TaskRun"'s columns at its edges: written into PostgreSQL, and compared value by value with
/// what landed.
namespace walstorm::tests {

/// Transactions, each the statements of one exec. Inserts: per column one row for each edge of its type,
/// everything else in it being plain; its id is "<column>-<number>".
[[nodiscard]] std::vector<std::string> edge_inserts();

/// On those rows: every value becomes the next edge of its column, keys among them; TOASTed values stay while
/// others change; rows come, go and come back, within a transaction and across.
[[nodiscard]] std::vector<std::string> edge_updates();

/// Half of the rows go; some ids are used again.
[[nodiscard]] std::vector<std::string> edge_deletes();

/// Rows by id, in the text form of RowText, in kTaskRunColumns' order.
using TextRows = measure::RowTexts;

/// All of "TaskRun". Does not depend on the session's settings.
[[nodiscard]] TextRows rows_in_postgres(pqxx::connection& connection);

/// The statement that returns a run's live rows for rows_of_answer, as TabSeparated. `table` may be a
/// database's.
[[nodiscard]] std::string landed_rows_sql(const std::string& table, std::uint64_t run_number,
                                          bool times_as_int64);

/// Reads its answer. An id that is there twice is an error of the test.
[[nodiscard]] TextRows rows_of_answer(const std::string& answer);

/// Each value that differs, each row that only one of them has, with what both hold, cut where it is long; at
/// most 20 lines.
[[nodiscard]] std::vector<std::string> differences(const TextRows& postgres, const TextRows& clickhouse);

}  // namespace walstorm::tests
