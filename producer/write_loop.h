#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "producer/ledger.h"
#include "producer/pacer.h"
#include "producer/pg_connection.h"
#include "producer/phase_stats.h"
#include "producer/row_source.h"
#include "producer/row_writer.h"
#include "proto/wire/clock.h"

namespace walstorm::producer {

/// One connection at work: waits for its next batch to fall due, writes it, counts it, and again.
///
/// Open loop: a batch that is late starts at once and its lateness is recorded. When the phase's duration is
/// over, batches still owed are dropped (Pacer counts them). Lives on the worker's loop; what is live
/// persists over phases.
class WriteLoop final {
 public:
  using OnEnded = std::function<void()>;

  /// `clock` must be the machine's (timers are) and outlive this, as must `loop`. `writer` writes by
  /// `connection`, which this owns for it.
  WriteLoop(boost::asio::io_context& loop, const wire::Clock& clock, std::unique_ptr<PgConnection> connection,
            std::unique_ptr<RowWriter> writer, Ledger ledger);

  /// Starts a phase whose schedule began at `started_us` (steady clock). Counts into `stats`, which must live
  /// until `on_ended` is called: once, from the loop, when nothing is left to start and nothing is under way.
  void start(const Pacer& pacer, std::int64_t started_us, PhaseStats& stats, OnEnded on_ended);

  /// Starts no further batch.
  void stop();

  /// See Pacer::records_not_started. 0 before the first phase.
  [[nodiscard]] std::uint64_t records_not_started(std::int64_t at_us) const;

  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] PgConnection& connection() { return *connection_; }

 private:
  void next();
  void wait(std::int64_t until_us);
  void write(const Pacer::Batch& due);
  void written(const Batch& batch, const Written& written);
  void end();

  const wire::Clock& clock_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<PgConnection> connection_;
  std::unique_ptr<RowWriter> writer_;  // on *connection_
  Ledger ledger_;

  // Of the phase that is on.
  std::optional<Pacer> pacer_;
  PhaseStats* stats_ = nullptr;
  OnEnded on_ended_;
  std::int64_t started_us_ = 0;
  std::int64_t end_us_ = 0;
  std::optional<std::int64_t> batch_due_us_;
  std::int64_t batch_start_us_ = 0;
  bool stopping_ = false;
};

}  // namespace walstorm::producer
