#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "producer/postgres/column_arrays.h"
#include "producer/postgres/pg_connection.h"
#include "producer/postgres/statements.h"
#include "producer/rows/encoded_rows.h"
#include "producer/rows/ledger.h"
#include "producer/rows/row_source.h"

namespace walstorm::producer {

/// How much is handed to libpq before what waits in its buffer is sent.
inline constexpr std::size_t kPieceBytes = 64U << 10;

/// Turns a batch into statements and queues them on a connection's pipeline.
///
/// Statements are prepared once in a session for each kind and number of rows, up to kPreparedMax of them;
/// others run as the unnamed statement. Rows are encoded statement by statement, so memory is bounded by one
/// statement of about kStatementBytes (at least one row), not by one batch.
class ChangePipeline final {
 public:
  /// Both must outlive this. `row_bytes_mean` guides how many rows a statement holds.
  ChangePipeline(PgConnection& connection, const RowSource& source, std::size_t row_bytes_mean,
                 StatementForm form);

  enum class Inserts { included, left_out };

  /// Plans BEGIN (when the batch has one to begin), the statements, COMMIT. Without its inserts, a batch
  /// continues a transaction that is open already.
  void plan(const Batch& batch, Inserts inserts);

  /// Queues the next piece, for PgConnection::pipeline; false when all are queued with it.
  bool queue_next();

  /// The exchange was answered by an error: what it was to prepare is prepared anew, since the error may have
  /// come before that (a Prepare waits for the table's lock, too).
  void refused();

  /// The server may have been told to commit: whatever comes now, the batch may be in the table.
  [[nodiscard]] bool commit_queued() const { return commit_queued_; }

  /// Of column values queued since the plan.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  enum class Kind : std::uint8_t { insert, update, remove };
  struct Shape {
    Columns columns;
    std::string (*sql)(std::size_t rows);
    std::string (*unnest_sql)();
    const char* name;
  };
  struct Write {
    Kind kind = Kind::insert;
    std::span<const RowVersion> rows;
  };

  [[nodiscard]] static const Shape& shape_of(Kind kind);
  [[nodiscard]] std::uint64_t cache_key(const Write& write) const;
  [[nodiscard]] std::string sql_of(const Write& write) const;
  [[nodiscard]] std::vector<unsigned> types_of(const Write& write) const;
  void plan_rows(Kind kind, std::span<const RowVersion> rows);
  void prepare_missing();
  void queue_write(const Write& write);
  [[nodiscard]] Parameters bind(Columns columns);

  static constexpr std::size_t kPreparedMax = 100;

  PgConnection& connection_;
  const RowSource& source_;
  const StatementForm form_;
  std::size_t rows_per_statement_max_;
  bool begin_due_ = false;
  bool commit_queued_ = false;
  std::vector<Write> writes_;
  std::size_t next_write_ = 0;
  std::uint64_t bytes_ = 0;
  std::unordered_map<std::uint64_t, std::string> prepared_;  // name by kind and number of rows,
  unsigned prepared_in_ = 0;                                 // in this session of the connection
  std::vector<std::uint64_t> newly_prepared_;                // by the exchange under way
  EncodedRows rows_;
  ColumnArrays arrays_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

}  // namespace walstorm::producer
