#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "producer/due_batches.h"
#include "producer/phase_stats.h"
#include "producer/postgres/pg_connection.h"
#include "producer/postgres/row_writer.h"
#include "producer/recovery.h"
#include "producer/rows/ledger.h"
#include "proto/wire/backoff.h"
#include "proto/wire/clock.h"

namespace walstorm::producer {

/// One connection at work: asks for the next batch, writes it, counts it, and again.
///
/// Open loop: a batch that is late starts at once and its lateness is recorded. A batch whose session was
/// lost, or whose transaction PostgreSQL rolled back in a way that another try may mend, stays under way: its
/// latencies go on until it is in the table, so an outage shows in them and loses no record. Lives on the
/// worker's loop; what is live persists over phases.
class WriteLoop final {
 public:
  using OnEnded = std::function<void()>;
  /// Recovery::start, or what a test puts in its place.
  using Recover = std::function<void(const Batch&, const Loss&, Recovery::OnRecovered)>;

  /// Whose rows the batch of that number is made of: in a load of inserts alone it may be another
  /// connection's.
  using LedgerOf = std::function<Ledger&(std::uint64_t batch)>;

  enum class Content : std::uint8_t {
    mixed,    ///< inserts, updates and deletes by their shares
    new_rows  ///< for a preload
  };

  /// `clock` must be the machine's (timers are) and outlive this, as must `loop`.
  WriteLoop(boost::asio::io_context& loop, const wire::Clock& clock, Ledger ledger, Recover recover);

  /// Writes batches of `due`, whose phase has been started, by `writer`. Counts into `stats`, which must
  /// live, as must `due` and `writer`, until `on_ended` is called: once, from the loop, when nothing is left
  /// to start and nothing is under way. Without `ledger_of` every batch is made of this one's own ledger.
  void start(DueBatches& due, RowWriter& writer, Content content, PhaseStats& stats, OnEnded on_ended,
             LedgerOf ledger_of = nullptr);

  /// DueBatches hands out nothing further: a batch that is to be tried again is given up.
  void stop();

  /// How long the batch under way has been due (of an unthrottled phase: started); nullopt between two.
  [[nodiscard]] std::optional<std::int64_t> under_way_us() const;
  /// Of the phase's time, how much went by with a batch under way.
  [[nodiscard]] std::int64_t busy_us() const;

  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] Ledger& ledger() { return ledger_; }

 private:
  void next();
  void write(const DueBatches::Batch& due);
  void send();
  void written(const Written& written);
  void rolled_back(const SqlError& error);
  void lost(const Written& written);
  void recovered(std::uint64_t bytes, Fate fate);
  void count_failed();
  void count_commit(std::uint64_t bytes);
  void end();

  const wire::Clock& clock_;
  boost::asio::steady_timer retry_;
  wire::Backoff backoff_;
  Ledger ledger_;
  Recover recover_;

  // Of the phase that is on.
  DueBatches* due_ = nullptr;
  RowWriter* writer_ = nullptr;
  Content content_ = Content::mixed;
  PhaseStats* stats_ = nullptr;
  OnEnded on_ended_;
  LedgerOf ledger_of_;
  Batch batch_;  // the one under way, and whose
  Ledger* batch_ledger_ = nullptr;
  std::optional<std::int64_t> batch_due_us_;
  std::optional<std::int64_t> batch_start_us_;  // of the one under way
  std::uint64_t roll_backs_ = 0;                // of that one
  std::int64_t busy_us_ = 0;                    // with those before it
  std::int64_t lost_us_ = 0;
  bool stopping_ = false;
};

}  // namespace walstorm::producer
