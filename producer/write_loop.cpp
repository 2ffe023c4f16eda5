#include "producer/write_loop.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <random>
#include <spdlog/spdlog.h>
#include <utility>

#include "proto/postgres/sqlstate.h"
#include "proto/wire/error.h"

namespace walstorm::producer {

using wire::Error;
using wire::ErrorKind;

namespace {

/// A lock or a conflict is often gone at once; what stays must not be asked for thousands of times a second.
constexpr wire::Backoff::Limits kAfterRollBack{.first_us = 1000, .max_us = 250'000};

}  // namespace

WriteLoop::WriteLoop(boost::asio::io_context& loop, const wire::Clock& clock, Ledger ledger, Recover recover)
    : clock_(clock),
      retry_(loop),
      backoff_(kAfterRollBack, std::random_device{}()),
      ledger_(std::move(ledger)),
      recover_(std::move(recover)) {}

void WriteLoop::start(DueBatches& due, RowWriter& writer, Content content, PhaseStats& stats,
                      OnEnded on_ended, LedgerOf ledger_of) {
  due_ = &due;
  writer_ = &writer;
  content_ = content;
  stats_ = &stats;
  on_ended_ = std::move(on_ended);
  ledger_of_ = std::move(ledger_of);
  busy_us_ = 0;
  stopping_ = false;
  next();
}

void WriteLoop::stop() {
  stopping_ = true;
  retry_.cancel();
}

std::optional<std::int64_t> WriteLoop::under_way_us() const {
  if (!batch_start_us_) return std::nullopt;
  return clock_.steady_us() - batch_due_us_.value_or(*batch_start_us_);
}

std::int64_t WriteLoop::busy_us() const {
  return busy_us_ + (batch_start_us_ ? clock_.steady_us() - *batch_start_us_ : 0);
}

/// The batch before, if there was one, has ended.
void WriteLoop::next() {
  busy_us_ = busy_us();
  batch_start_us_.reset();
  due_->ask([this](const std::optional<DueBatches::Batch>& due) {
    if (!due) return end();
    write(*due);
  });
}

void WriteLoop::write(const DueBatches::Batch& due) {
  batch_start_us_ = clock_.steady_us();
  batch_due_us_ = due.due_us;
  roll_backs_ = 0;
  if (due.due_us) stats_->schedule_lag_us.record(*batch_start_us_ - *due.due_us);
  batch_ledger_ = ledger_of_ ? &ledger_of_(due.number) : &ledger_;
  batch_ = content_ == Content::mixed ? batch_ledger_->stage(due.records)
                                      : batch_ledger_->stage_inserts(due.records);
  send();
}

void WriteLoop::send() {
  writer_->write(batch_, [this](const Written& outcome) { written(outcome); });
}

void WriteLoop::written(const Written& written) {
  if (written.loss) return lost(written);
  if (written.error) return rolled_back(*written.error);
  if (written.rows != batch_.records()) {
    throw Error(
        ErrorKind::data,
        fmt::format("write {} records to \"TaskRun\": the server changed {} rows; a row that should be there "
                    "is not, or something else writes to the table",
                    batch_.records(), written.rows));
  }
  count_commit(written.bytes);
  next();
}

/// Nothing of the batch is in the table, and the session goes on.
void WriteLoop::rolled_back(const SqlError& error) {
  if (postgres::refusal_of(error.sqlstate) != postgres::Refusal::rolled_back) {
    throw Error(ErrorKind::data, fmt::format("write {} records to \"TaskRun\": {} (SQLSTATE {})",
                                             batch_.records(), error.message, error.sqlstate));
  }
  // The first one of a kind is told; thousands of them are a figure.
  const bool is_first = stats_->count_error(error.sqlstate) == 1;
  spdlog::log(is_first ? spdlog::level::warn : spdlog::level::debug,
              "a transaction was rolled back: {} (SQLSTATE {})", error.message, error.sqlstate);
  const auto give_up = [this] {
    count_failed();
    next();
  };
  if (!due_->load_is_on()) return give_up();
  retry_.expires_after(std::chrono::microseconds(backoff_.wait_us(++roll_backs_)));
  retry_.async_wait([this, give_up](const boost::system::error_code&) {
    if (stopping_) return give_up();
    send();
  });
}

void WriteLoop::lost(const Written& written) {
  spdlog::warn("a connection was lost with {} records under way{}: {}", batch_.records(),
               written.loss->commit_sent ? ", their COMMIT sent" : "", written.loss->why);
  lost_us_ = clock_.steady_us();
  recover_(batch_, *written.loss, [this, bytes = written.bytes, loss = *written.loss](Fate fate) {
    if (loss.commit_sent) {
      ++(fate == Fate::committed ? stats_->settled_committed : stats_->settled_rolled_back);
    }
    if (fate == Fate::rolled_back) {
      (void)stats_->count_error(loss.sqlstate.empty() ? postgres::kConnectionFailure : loss.sqlstate);
    }
    recovered(bytes, fate);
  });
}

void WriteLoop::recovered(std::uint64_t bytes, Fate fate) {
  const std::int64_t offline_us = clock_.steady_us() - lost_us_;
  spdlog::warn("connected again after {} ms; the records under way are {}", offline_us / 1000,
               fate == Fate::committed ? "committed" : "rolled back");
  ++stats_->reconnects;
  stats_->offline_us += offline_us;
  stats_->offline_us_max = std::max(stats_->offline_us_max, offline_us);
  if (fate == Fate::committed) {
    count_commit(bytes);
    return next();
  }
  if (!stopping_) return send();
  count_failed();
  next();
}

void WriteLoop::count_failed() {
  stats_->records_failed += batch_.records();
  if (batch_due_us_) stats_->failed_us.record(clock_.steady_us() - *batch_due_us_);
}

void WriteLoop::count_commit(std::uint64_t bytes) {
  const std::int64_t now_us = clock_.steady_us();
  stats_->service_time_us.record(now_us - *batch_start_us_);
  if (batch_due_us_) stats_->write_latency_us.record(now_us - *batch_due_us_);
  stats_->last_commit_unix_us = clock_.unix_us();
  ++stats_->transactions;
  stats_->bytes += bytes;
  stats_->became_inserts += batch_.became_inserts;
  batch_ledger_->commit(batch_, stats_->produced);
}

void WriteLoop::end() {
  const OnEnded on_ended = std::exchange(on_ended_, nullptr);
  on_ended();
}

}  // namespace walstorm::producer
