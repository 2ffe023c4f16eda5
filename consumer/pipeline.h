#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "consumer/batch/batch.h"
#include "consumer/batch/batcher.h"
#include "consumer/batch/lsn_tracker.h"
#include "consumer/metrics/busy_meter.h"
#include "consumer/metrics/phase_book.h"
#include "consumer/sink/flusher.h"
#include "consumer/sink/sink.h"
#include "consumer/stream/change_intake.h"
#include "consumer/stream/replication_stream.h"
#include "proto/control.pb.h"
#include "proto/metrics.pb.h"
#include "proto/wire/clock.h"
#include "proto/wire/clock_offset.h"

namespace walstorm::consumer {

/// From the replication stream to the sink and back to the slot: joins the parts and keeps the bounds.
///
///   ReplicationStream -> ChangeIntake (decode, encode, count) -> Batcher -> Flusher -> Sink
///                     <- LsnTracker   <-------------------------------- acknowledged
///
/// Back-pressure: while a batch waits for a flight, or batches hold more than their share of memory, the
/// stream is not read, and a committed transaction that was streamed before its end waits where it is.
/// PostgreSQL then keeps what is to come. Lives on the loop.
class Pipeline final {
 public:
  /// Connects and starts streaming; blocks. `clock` and `meter` outlive the pipeline. `on_progress` is called
  /// after each message and each acknowledgement: a phase may be drained now. Throws as ReplicationStream
  /// does.
  Pipeline(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
           const proto::Setup& setup, std::function<void()> on_progress);

  /// The first phase begins.
  void load_starts() { sink_->load_starts(); }

  /// Commit timestamps are PostgreSQL's: from now on they are put on our clock by this.
  void set_clock(const wire::ClockOffset& offset) { intake_.set_clock(offset); }

  /// Every change before the marker of `phase` was read and is acknowledged by the sink.
  [[nodiscard]] bool drained(std::uint32_t phase);

  /// The result of `phase` is sent: nothing counts for it any more.
  void close(std::uint32_t phase);

  /// Everything but the times and the heap, which belong to the process.
  void fill(std::uint32_t phase, proto::ConsumerStats& stats);

 private:
  enum class FlushTimer {
    idle,
    running,
    overdue,  ///< it has fired while no flight was free: the next acknowledgement sees to the batch
  };

  void on_wal(const WalMessage& message);
  void check_slot(wire::Lsn slot_confirmed) const;
  void on_cut(std::unique_ptr<Batch> batch);
  void on_acknowledged(const Batch& batch, std::int64_t started_us, std::int64_t acknowledged_us);
  [[nodiscard]] wire::Lsn confirmable() const;
  [[nodiscard]] std::uint64_t batch_bytes() const;
  [[nodiscard]] std::uint64_t buffered_bytes() const;
  [[nodiscard]] bool has_room() const;
  void keep_bounds();
  void release_soon();
  void release_more();
  void flush_due();
  void arm_flush_timer();

  const wire::Clock& clock_;
  BusyMeter& meter_;
  proto::ConsumerSetup setup_;
  std::function<void()> on_progress_;
  ReplicationStream stream_;
  LsnTracker tracker_;
  PhaseBook book_;
  std::unique_ptr<Sink> sink_;
  BatchPool pool_;
  Flusher flusher_;
  Batcher batcher_;
  ChangeIntake intake_;
  boost::asio::steady_timer flush_timer_;
  FlushTimer flush_timer_is_ = FlushTimer::idle;
  bool release_is_due_ = false;   // release_more() is posted
  std::int64_t acknowledged_us_;  // when the last batch was, or when the pipeline began: steady clock
};

}  // namespace walstorm::consumer
