#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "producer/ledger.h"
#include "producer/pacer.h"
#include "producer/pg_connection.h"
#include "producer/phase_stats.h"
#include "producer/recovery.h"
#include "producer/row_writer.h"
#include "proto/wire/clock.h"

namespace walstorm::producer {

/// One connection at work: waits for its next batch to fall due, writes it, counts it, and again.
///
/// Open loop: a batch that is late starts at once and its lateness is recorded. When the phase's duration is
/// over, batches still owed are dropped (Pacer counts them). A batch whose session was lost stays under way:
/// its latencies go on until it is in the table, so an outage shows in them and loses no record. Lives on the
/// worker's loop; what is live persists over phases.
class WriteLoop final {
 public:
  using OnEnded = std::function<void()>;
  /// Recovery::start, or what a test puts in its place.
  using Recover = std::function<void(const Batch&, const Loss&, Recovery::OnRecovered)>;

  enum class Content : std::uint8_t {
    mixed,    ///< inserts, updates and deletes by their shares
    new_rows  ///< for a preload
  };

  /// `clock` must be the machine's (timers are) and outlive this, as must `loop`.
  WriteLoop(boost::asio::io_context& loop, const wire::Clock& clock, Ledger ledger, Recover recover);

  /// Starts a phase whose schedule began at `started_us` (steady clock), written by `writer`. Counts into
  /// `stats`, which must live, as must `writer`, until `on_ended` is called: once, from the loop, when
  /// nothing is left to start and nothing is under way.
  void start(const Pacer& pacer, std::int64_t started_us, RowWriter& writer, Content content,
             PhaseStats& stats, OnEnded on_ended);

  /// Starts no further batch.
  void stop();

  /// See Pacer::records_not_started. 0 before the first phase.
  [[nodiscard]] std::uint64_t records_not_started(std::int64_t at_us);

  [[nodiscard]] const Ledger& ledger() const { return ledger_; }

 private:
  void next();
  void wait(std::int64_t until_us);
  void write(const Pacer::Batch& due);
  void send(const Batch& batch);
  void written(const Batch& batch, const Written& written);
  void lost(const Batch& batch, const Written& written);
  void recovered(const Batch& batch, std::uint64_t bytes, Fate fate);
  void count_failed(const Batch& batch);
  void count_commit(const Batch& batch, std::uint64_t bytes);
  void end();

  const wire::Clock& clock_;
  boost::asio::steady_timer timer_;
  Ledger ledger_;
  Recover recover_;

  // Of the phase that is on.
  std::optional<Pacer> pacer_;
  RowWriter* writer_ = nullptr;
  Content content_ = Content::mixed;
  PhaseStats* stats_ = nullptr;
  OnEnded on_ended_;
  std::int64_t started_us_ = 0;
  std::int64_t end_us_ = 0;
  std::optional<std::int64_t> batch_due_us_;
  std::int64_t batch_start_us_ = 0;
  std::int64_t lost_us_ = 0;
  bool stopping_ = false;
};

}  // namespace walstorm::producer
