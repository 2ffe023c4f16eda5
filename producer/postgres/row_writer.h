#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "producer/postgres/pg_connection.h"
#include "producer/rows/ledger.h"

namespace walstorm::producer {

/// The session was lost before the batch was answered.
struct Loss {
  std::string why;
  /// The server may have been told to commit, so the batch may be in the table. Otherwise it is not: a
  /// transaction that no one has committed is rolled back with its session.
  bool commit_sent = false;
  std::string sqlstate = {};  ///< empty where the server did not say
};

/// What came of a batch.
struct Written {
  std::uint64_t rows = 0;         ///< changed, by the server's account
  std::uint64_t bytes = 0;        ///< of column values sent
  std::optional<SqlError> error;  ///< set: nothing of the batch is in the table
  std::optional<Loss> loss;
};

/// Writes a batch as one transaction: how depends on the write mode. One batch at a time.
class RowWriter {
 public:
  using OnWritten = std::function<void(const Written&)>;

  RowWriter() = default;
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;
  virtual ~RowWriter() = default;

  /// `batch` stays as it is until `on_written` is called, on the loop, after the COMMIT's answer.
  virtual void write(const Batch& batch, OnWritten on_written) = 0;
};

}  // namespace walstorm::producer
