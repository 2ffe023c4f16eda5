#include "producer/write_loop.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <utility>

#include "proto/wire/error.h"

namespace walstorm::producer {

using wire::Error;
using wire::ErrorKind;

WriteLoop::WriteLoop(boost::asio::io_context& loop, const wire::Clock& clock, Ledger ledger, Recover recover)
    : clock_(clock), timer_(loop), ledger_(std::move(ledger)), recover_(std::move(recover)) {}

void WriteLoop::start(const Pacer& pacer, std::int64_t started_us, RowWriter& writer, Content content,
                      PhaseStats& stats, OnEnded on_ended) {
  pacer_ = pacer;
  writer_ = &writer;
  content_ = content;
  stats_ = &stats;
  on_ended_ = std::move(on_ended);
  started_us_ = started_us;
  end_us_ = started_us + pacer.schedule().duration_us();
  stopping_ = false;
  // By the timer, also where something is due at once: PhaseReady goes out first.
  const auto first = pacer_->next();
  wait(first ? started_us_ + first->due_us.value_or(0) : started_us_);
}

void WriteLoop::stop() {
  stopping_ = true;
  timer_.cancel();
}

std::uint64_t WriteLoop::records_not_started(std::int64_t at_us) {
  return pacer_ ? pacer_->records_not_started(at_us) : 0;
}

void WriteLoop::next() {
  const auto due = pacer_->next();
  const std::int64_t now_us = clock_.steady_us();
  if (!due || stopping_ || now_us >= end_us_) return end();
  const std::int64_t due_us = started_us_ + due->due_us.value_or(0);
  if (due_us > now_us) return wait(due_us);
  write(*due);
}

/// A batch awaited by an idle connection is started even when its timer fires a little after the end of the
/// phase: it fell due in time, and nothing but the timer's grain is late.
void WriteLoop::wait(std::int64_t until_us) {
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::microseconds(until_us)));
  timer_.async_wait([this](const boost::system::error_code&) {
    const auto due = pacer_->next();
    if (!due || stopping_) return end();
    write(*due);
  });
}

void WriteLoop::write(const Pacer::Batch& due) {
  pacer_->take();
  batch_start_us_ = clock_.steady_us();
  batch_due_us_ = std::nullopt;
  if (due.due_us) {
    batch_due_us_ = started_us_ + *due.due_us;
    stats_->schedule_lag_us.record(batch_start_us_ - *batch_due_us_);
  }
  send(content_ == Content::mixed ? ledger_.stage(due.records) : ledger_.stage_inserts(due.records));
}

void WriteLoop::send(const Batch& batch) {
  writer_->write(batch, [this, &batch](const Written& outcome) { written(batch, outcome); });
}

void WriteLoop::written(const Batch& batch, const Written& written) {
  if (written.loss) return lost(batch, written);
  if (written.error) {
    if (!written.error->is_transaction_rollback()) {
      throw Error(ErrorKind::data,
                  fmt::format("write {} records to \"TaskRun\": {} (SQLSTATE {})", batch.records(),
                              written.error->message, written.error->sqlstate));
    }
    spdlog::warn("a transaction was rolled back: {}", written.error->message);
    ++stats_->errors;
    count_failed(batch);
    return next();
  }
  if (written.rows != batch.records()) {
    throw Error(
        ErrorKind::data,
        fmt::format("write {} records to \"TaskRun\": the server changed {} rows; a row that should be there "
                    "is not, or something else writes to the table",
                    batch.records(), written.rows));
  }
  count_commit(batch, written.bytes);
  next();
}

void WriteLoop::lost(const Batch& batch, const Written& written) {
  spdlog::warn("a connection was lost with {} records under way{}: {}", batch.records(),
               written.loss->commit_sent ? ", their COMMIT sent" : "", written.loss->why);
  lost_us_ = clock_.steady_us();
  recover_(batch, *written.loss,
           [this, &batch, bytes = written.bytes, in_doubt = written.loss->commit_sent](Fate fate) {
             if (in_doubt)
               ++(fate == Fate::committed ? stats_->settled_committed : stats_->settled_rolled_back);
             recovered(batch, bytes, fate);
           });
}

void WriteLoop::recovered(const Batch& batch, std::uint64_t bytes, Fate fate) {
  const std::int64_t offline_us = clock_.steady_us() - lost_us_;
  spdlog::warn("connected again after {} ms; the records under way are {}", offline_us / 1000,
               fate == Fate::committed ? "committed" : "rolled back");
  ++stats_->reconnects;
  stats_->offline_us += offline_us;
  stats_->offline_us_max = std::max(stats_->offline_us_max, offline_us);
  if (fate == Fate::committed) {
    count_commit(batch, bytes);
    return next();
  }
  ++stats_->errors;
  if (!stopping_) return send(batch);
  count_failed(batch);
  next();
}

void WriteLoop::count_failed(const Batch& batch) {
  stats_->records_failed += batch.records();
  ledger_.discard();
}

void WriteLoop::count_commit(const Batch& batch, std::uint64_t bytes) {
  const std::int64_t now_us = clock_.steady_us();
  stats_->service_time_us.record(now_us - batch_start_us_);
  if (batch_due_us_) stats_->write_latency_us.record(now_us - *batch_due_us_);
  stats_->last_commit_unix_us = clock_.unix_us();
  ++stats_->transactions;
  stats_->bytes += bytes;
  stats_->became_inserts += batch.became_inserts;
  ledger_.commit(stats_->produced);
}

void WriteLoop::end() {
  const OnEnded on_ended = std::exchange(on_ended_, nullptr);
  on_ended();
}

}  // namespace walstorm::producer
