#pragma once

#include "producer/postgres/change_pipeline.h"
#include "producer/postgres/row_writer.h"

namespace walstorm::producer {

/// Write modes `insert`, `unnest` and `prepared`, which differ in their statements. The whole transaction is
/// one pipeline, hence one round trip.
class StatementWriter final : public RowWriter {
 public:
  /// Both must outlive this.
  StatementWriter(PgConnection& connection, const RowSource& source, std::size_t row_bytes_mean,
                  StatementForm form)
      : connection_(connection), changes_(connection, source, row_bytes_mean, form) {}

  void write(const Batch& batch, OnWritten on_written) override;

 private:
  PgConnection& connection_;
  ChangePipeline changes_;
  OnWritten on_written_;
};

}  // namespace walstorm::producer
