#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "producer/postgres/change_pipeline.h"
#include "producer/postgres/row_writer.h"

namespace walstorm::producer {

/// Write mode `copy`: a batch's inserts by COPY BINARY, its updates and deletes by statements, in one
/// transaction.
///
/// libpq does not let COPY into a pipeline, and waits for the server's word before the data: two round trips
/// for a batch of inserts (the COPY is a transaction by itself), three when changes follow, one without
/// inserts.
class CopyWriter final : public RowWriter {
 public:
  /// Of the role's limits to a statement's time: a preload is walstorm's own work and is not to be cut by
  /// them.
  enum class TimeLimits : std::uint8_t { kept, lifted };

  /// Both must outlive this.
  CopyWriter(PgConnection& connection, const RowSource& source, std::size_t row_bytes_mean,
             TimeLimits time_limits = TimeLimits::kept)
      : connection_(connection),
        source_(source),
        changes_(connection, source, row_bytes_mean, StatementForm::values),
        time_limits_(time_limits) {}

  void write(const Batch& batch, OnWritten on_written) override;

 private:
  std::string_view next_piece();
  [[nodiscard]] std::string sql_before_data(bool alone) const;
  void write_changes(ChangePipeline::Inserts inserts);
  void copied(const Reply& reply);

  PgConnection& connection_;
  const RowSource& source_;
  ChangePipeline changes_;
  const TimeLimits time_limits_;
  OnWritten on_written_;
  const Batch* batch_ = nullptr;  // being written
  EncodedRows rows_;
  std::size_t rows_fed_ = 0;
  bool header_fed_ = false;
  bool trailer_fed_ = false;
  bool end_fed_ = false;  // the server may know by now that the data are complete
  Written written_;
};

}  // namespace walstorm::producer
