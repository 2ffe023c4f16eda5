#include "producer/change_pipeline.h"

#include <algorithm>
#include <fmt/format.h>

#include "producer/statements.h"

namespace walstorm::producer {
namespace {

// Small enough for the server to work on one statement while the next is encoded, large enough that the costs
// of a statement vanish among its rows.
constexpr std::size_t kStatementBytes = 256U << 10;

}  // namespace

ChangePipeline::ChangePipeline(PgConnection& connection, const RowSource& source, std::size_t row_bytes_mean)
    : connection_(connection),
      source_(source),
      rows_per_statement_max_(
          std::clamp<std::size_t>(kStatementBytes / row_bytes_mean, 1, kParametersMax / kColumnCount)) {}

const ChangePipeline::Shape& ChangePipeline::shape_of(Kind kind) {
  static constexpr std::array<Shape, 3> kShapes{{
      {kAllColumns, insert_sql, "insert"},
      {kUpdateColumns, update_sql, "update"},
      {kIdColumn, delete_sql, "delete"},
  }};
  return kShapes[static_cast<std::size_t>(kind)];
}

std::uint64_t ChangePipeline::cache_key(const Write& write) {
  return (std::uint64_t{write.rows.size()} << 2) | static_cast<std::uint64_t>(write.kind);
}

void ChangePipeline::plan(const Batch& batch, Inserts inserts) {
  begins_ = inserts == Inserts::included;
  writes_.clear();
  next_step_ = 0;
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
  const std::size_t step = next_step_++;
  if (step == 0) {
    prepare_missing();
    if (begins_) connection_.queue("BEGIN");
  } else if (step <= writes_.size()) {
    queue_write(writes_[step - 1]);
  } else if (step == writes_.size() + 1) {
    connection_.queue("COMMIT");
  } else {
    return false;
  }
  return true;
}

/// Before any change, so that a transaction that fails does not skip a Prepare which the cache then believes
/// in.
void ChangePipeline::prepare_missing() {
  for (const Write& write : writes_) {
    if (prepared_.size() >= kPreparedMax) return;
    const Shape& shape = shape_of(write.kind);
    const std::size_t rows = write.rows.size();
    const auto [statement, is_new] =
        prepared_.try_emplace(cache_key(write), fmt::format("{}_{}", shape.name, rows));
    if (!is_new) continue;
    connection_.queue_prepare(statement->second.c_str(), shape.sql(rows),
                              parameter_types(shape.columns, rows));
  }
}

void ChangePipeline::queue_write(const Write& write) {
  const Shape& shape = shape_of(write.kind);
  rows_.clear();
  for (const RowVersion row : write.rows) source_.encode(row, shape.columns, rows_);
  const Parameters parameters = bind_rows();
  const auto prepared = prepared_.find(cache_key(write));
  if (prepared != prepared_.end()) {
    connection_.queue_prepared(prepared->second.c_str(), parameters);
  } else {
    connection_.queue_unprepared(shape.sql(write.rows.size()),
                                 parameter_types(shape.columns, write.rows.size()), parameters);
  }
}

Parameters ChangePipeline::bind_rows() {
  values_.clear();
  lengths_.clear();
  for (const EncodedRows::Field& field : rows_.fields()) {
    values_.push_back(field.length < 0 ? nullptr : rows_.data(field));
    lengths_.push_back(field.length);
    bytes_ += static_cast<std::uint64_t>(std::max(field.length, 0));
  }
  formats_.resize(values_.size(), 1);
  return {values_, lengths_, std::span(formats_).first(values_.size())};
}

}  // namespace walstorm::producer
