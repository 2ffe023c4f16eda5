#include "producer/postgres/change_pipeline.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace walstorm::producer {
namespace {

// Small enough for the server to work on one statement while the next is encoded, large enough that the costs
// of a statement vanish among its rows.
constexpr std::size_t kStatementBytes = 256U << 10;
// Short statements are handed to the socket together, about as many as its buffer takes.

std::size_t rows_per_statement_max(StatementForm form, std::size_t row_bytes_mean) {
  constexpr std::size_t kNoLimit = std::numeric_limits<std::int32_t>::max();
  const std::size_t limit = form == StatementForm::row_by_row ? 1
                            : form == StatementForm::values   ? kParametersMax / kColumnCount
                                                              : kNoLimit;
  return std::clamp<std::size_t>(kStatementBytes / row_bytes_mean, 1, limit);
}

}  // namespace

ChangePipeline::ChangePipeline(PgConnection& connection, const RowSource& source, std::size_t row_bytes_mean,
                               StatementForm form)
    : connection_(connection),
      source_(source),
      form_(form),
      rows_per_statement_max_(rows_per_statement_max(form, row_bytes_mean)) {}

const ChangePipeline::Shape& ChangePipeline::shape_of(Kind kind) {
  static constexpr std::array<Shape, 3> kShapes{{
      {kAllColumns, insert_sql, insert_unnest_sql, "insert"},
      {kUpdateColumns, update_sql, update_unnest_sql, "update"},
      {kIdColumn, delete_sql, delete_unnest_sql, "delete"},
  }};
  return kShapes[static_cast<std::size_t>(kind)];
}

/// An unnest statement serves any number of rows.
std::uint64_t ChangePipeline::cache_key(const Write& write) const {
  const std::uint64_t rows = form_ == StatementForm::unnest ? 0 : write.rows.size();
  return (rows << 2) | static_cast<std::uint64_t>(write.kind);
}

std::string ChangePipeline::sql_of(const Write& write) const {
  const Shape& shape = shape_of(write.kind);
  return form_ == StatementForm::unnest ? shape.unnest_sql() : shape.sql(write.rows.size());
}

std::vector<unsigned> ChangePipeline::types_of(const Write& write) const {
  const Shape& shape = shape_of(write.kind);
  return form_ == StatementForm::unnest ? array_types(shape.columns)
                                        : parameter_types(shape.columns, write.rows.size());
}

void ChangePipeline::plan(const Batch& batch, Inserts inserts) {
  begin_due_ = inserts == Inserts::included;
  commit_queued_ = false;
  writes_.clear();
  next_write_ = 0;
  bytes_ = 0;
  if (inserts == Inserts::included) plan_rows(Kind::insert, batch.inserts);
  plan_rows(Kind::update, batch.updates);
  plan_rows(Kind::remove, batch.deletes);
}

void ChangePipeline::plan_rows(Kind kind, std::span<const RowVersion> rows) {
  while (!rows.empty()) {
    const std::size_t count = std::min(rows.size(), rows_per_statement_max_);
    writes_.push_back({kind, rows.first(count)});
    rows = rows.subspan(count);
  }
}

bool ChangePipeline::queue_next() {
  if (next_write_ == 0) {
    prepare_missing();
    if (begin_due_) connection_.queue("BEGIN");
  }
  const std::uint64_t bytes_before = bytes_;
  while (next_write_ < writes_.size()) {
    if (bytes_ - bytes_before >= kPieceBytes) return true;
    queue_write(writes_[next_write_++]);
  }
  connection_.queue("COMMIT");
  commit_queued_ = true;
  return false;
}

/// Before any change, so that a transaction that fails does not skip a Prepare which the cache then believes
/// in.
void ChangePipeline::prepare_missing() {
  newly_prepared_.clear();
  if (prepared_in_ != connection_.session()) prepared_.clear();
  prepared_in_ = connection_.session();
  for (const Write& write : writes_) {
    if (prepared_.size() >= kPreparedMax) return;
    const auto [statement, is_new] = prepared_.try_emplace(cache_key(write));
    if (!is_new) continue;
    newly_prepared_.push_back(statement->first);
    statement->second =
        fmt::format("{}_{}_{}", shape_of(write.kind).name, write.rows.size(), connection_.new_statement());
    connection_.queue_prepare(statement->second.c_str(), sql_of(write), types_of(write));
  }
}

void ChangePipeline::refused() {
  for (const std::uint64_t key : newly_prepared_) prepared_.erase(key);
  newly_prepared_.clear();
}

void ChangePipeline::queue_write(const Write& write) {
  const Shape& shape = shape_of(write.kind);
  rows_.clear();
  for (const RowVersion row : write.rows) source_.encode(row, shape.columns, rows_);
  const Parameters parameters = bind(shape.columns);
  const auto prepared = prepared_.find(cache_key(write));
  if (prepared != prepared_.end()) {
    connection_.queue_prepared(prepared->second.c_str(), parameters);
  } else {
    connection_.queue_unprepared(sql_of(write), types_of(write), parameters);
  }
}

Parameters ChangePipeline::bind(Columns columns) {
  values_.clear();
  lengths_.clear();
  for (const EncodedRows::Field& field : rows_.fields()) {
    bytes_ += static_cast<std::uint64_t>(std::max(field.length, 0));
    if (form_ == StatementForm::unnest) continue;
    values_.push_back(field.length < 0 ? nullptr : rows_.data(field));
    lengths_.push_back(field.length);
  }
  if (form_ == StatementForm::unnest) {
    arrays_.fill(rows_, columns);
    for (std::size_t column = 0; column < columns.size(); ++column) {
      const std::string_view array = arrays_.array(column);
      values_.push_back(array.data());
      lengths_.push_back(static_cast<int>(array.size()));
    }
  }
  formats_.resize(values_.size(), 1);
  return {values_, lengths_, std::span(formats_).first(values_.size())};
}

}  // namespace walstorm::producer
