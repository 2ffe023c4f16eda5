#include "producer/postgres/copy_writer.h"

#include <string>
#include <utility>

#include "producer/postgres/statements.h"
#include "proto/postgres/time_limits.h"

namespace walstorm::producer {
namespace {

// Fits the socket's buffer (net.core.wmem_default is 208 KiB) and the processor's cache.

// PostgreSQL's documentation of COPY, "Binary Format": signature, flags, length of the header's extension.
constexpr std::string_view kHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view kTrailer("\377\377", 2);

}  // namespace

void CopyWriter::write(const Batch& batch, OnWritten on_written) {
  batch_ = &batch;
  on_written_ = std::move(on_written);
  rows_fed_ = 0;
  header_fed_ = trailer_fed_ = end_fed_ = false;
  written_ = {};
  if (batch.inserts.empty()) return write_changes(ChangePipeline::Inserts::included);
  connection_.copy_in(
      sql_before_data(batch.updates.empty() && batch.deletes.empty()), [this] { return next_piece(); },
      [this](const Reply& reply) { copied(reply); });
}

/// `alone`: the query as a whole is the transaction.
std::string CopyWriter::sql_before_data(bool alone) const {
  static const std::string copy = copy_sql();
  std::string sql = alone ? "" : "BEGIN; ";
  if (time_limits_ == TimeLimits::lifted) {
    sql += postgres::lift_time_limits_for_transaction_sql(connection_.server_version());
  }
  return sql + copy;
}

std::string_view CopyWriter::next_piece() {
  if (!std::exchange(header_fed_, true)) return kHeader;
  rows_.clear();
  while (rows_fed_ < batch_->inserts.size() && rows_.bytes().size() < kPieceBytes) {
    source_.encode(batch_->inserts[rows_fed_++], kAllColumns, rows_);
  }
  for (const EncodedRows::Field& field : rows_.fields()) {
    if (field.length > 0) written_.bytes += static_cast<std::uint64_t>(field.length);
  }
  if (!rows_.bytes().empty()) return rows_.bytes();
  if (!std::exchange(trailer_fed_, true)) return kTrailer;
  end_fed_ = true;
  return {};
}

void CopyWriter::copied(const Reply& reply) {
  written_.rows = reply.rows;
  written_.error = reply.error;
  const bool alone = batch_->updates.empty() && batch_->deletes.empty();
  // A COPY alone commits by itself; within a transaction it never does.
  if (reply.lost) written_.loss = Loss{*reply.lost, alone && end_fed_, reply.lost_sqlstate};
  if (reply.error || reply.lost || alone) return on_written_(written_);
  write_changes(ChangePipeline::Inserts::left_out);
}

void CopyWriter::write_changes(ChangePipeline::Inserts inserts) {
  changes_.plan(*batch_, inserts);
  connection_.pipeline([this] { return changes_.queue_next(); },
                       [this](const Reply& reply) {
                         if (reply.error) changes_.refused();
                         written_.rows += reply.rows;
                         written_.bytes += changes_.bytes();
                         written_.error = reply.error;
                         if (reply.lost)
                           written_.loss = Loss{*reply.lost, changes_.commit_queued(), reply.lost_sqlstate};
                         on_written_(written_);
                       });
}

}  // namespace walstorm::producer
