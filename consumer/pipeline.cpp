#include "consumer/pipeline.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <utility>

#include <boost/asio/post.hpp>

#include "consumer/sink/clickhouse_sink.h"
#include "consumer/sink/mock_sink.h"
#include "proto/wire/change_tally.h"
#include "proto/wire/error.h"
#include "proto/wire/utf8.h"

namespace walstorm::consumer {
namespace {

/// How long a release may go on before timers and control frames get their turn.
constexpr std::int64_t kReleaseTurnUs = 10'000;

/// The consumer's part of Setup, checked: a zero here would be a loop that never moves.
const proto::ConsumerSetup& checked(const proto::Setup& setup) {
  if (!setup.has_consumer()) {
    throw wire::Error(wire::ErrorKind::protocol, "Setup for a consumer holds no ConsumerSetup");
  }
  const proto::ConsumerSetup& consumer = setup.consumer();
  if (consumer.flush_batch_size() == 0 || consumer.flush_concurrency_max() == 0 ||
      consumer.buffered_bytes_max() <= consumer.streamed_bytes_max()) {
    throw wire::Error(wire::ErrorKind::protocol, "Setup gives the consumer a limit of 0");
  }
  return consumer;
}

std::unique_ptr<Sink> make_sink(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
                                const proto::Setup& setup) {
  const proto::ConsumerSetup& consumer = setup.consumer();
  if (consumer.has_mock()) {
    return std::make_unique<MockSink>(loop, clock, meter, block_form(consumer), consumer.compression(),
                                      consumer.mock());
  }
  if (consumer.has_clickhouse()) return std::make_unique<ClickhouseSink>(loop, meter, setup);
  throw wire::Error(wire::ErrorKind::protocol, "Setup asks for a sink that this consumer does not have");
}

FlushLimits flush_limits(const proto::ConsumerSetup& setup) {
  return {.concurrency_max = setup.flush_concurrency_max(),
          .give_up_us = static_cast<std::int64_t>(setup.sink_give_up_ms()) * 1000,
          .seed = setup.has_mock() ? setup.mock().seed() : setup.run_number()};
}

}  // namespace

Pipeline::Pipeline(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
                   const proto::Setup& setup, std::function<void()> on_progress)
    : clock_(clock),
      meter_(meter),
      setup_(checked(setup)),
      on_progress_(std::move(on_progress)),
      stream_(loop, clock, meter, setup_),
      tracker_(stream_.slot_confirmed()),
      sink_(make_sink(loop, clock, meter, setup)),
      pool_(setup_.buffered_bytes_max(), [this] { return sink_->make_block(); }),
      flusher_(loop, clock, meter, flush_limits(setup_), *sink_, pool_,
               {[this](const Batch& batch, std::int64_t started, std::int64_t acknowledged) {
                  on_acknowledged(batch, started, acknowledged);
                },
                [this](const Batch& batch, const Landing& landing, bool retry) {
                  book_.attempted(batch, landing, retry);
                }}),
      batcher_({setup_.flush_batch_size(), std::int64_t{setup_.flush_interval_ms()} * 1000}, pool_, tracker_,
               [this](std::unique_ptr<Batch> batch) { on_cut(std::move(batch)); }),
      intake_(setup.run_id(), setup_.streamed_bytes_max(), book_, tracker_, batcher_),
      flush_timer_(loop),
      acknowledged_us_(clock.steady_us()) {
  stream_.start({[this](const WalMessage& message) { on_wal(message); },
                 [this](wire::Lsn position) { intake_.on_keepalive(position); },
                 [this] { return confirmable(); },
                 [this] {
                   intake_.reset_stream();
                   keep_bounds();  // a release that is forgotten no longer holds the reader up
                 },
                 [this](wire::Lsn slot_confirmed) { check_slot(slot_confirmed); }});
}

void Pipeline::on_wal(const WalMessage& message) {
  intake_.on_wal(message);
  arm_flush_timer();
  keep_bounds();
  on_progress_();
}

/// After a reconnect. Only we move the slot, and never beyond what we have read.
void Pipeline::check_slot(wire::Lsn slot_confirmed) const {
  if (slot_confirmed <= tracker_.received()) return;
  throw wire::Error(
      wire::ErrorKind::data,
      fmt::format("replication slot \"{}\" was moved to {} by another client while the connection was lost, "
                  "but only what lies before {} was read: the changes in between are lost",
                  setup_.slot_name(), wire::to_string(slot_confirmed), wire::to_string(tracker_.received())));
}

void Pipeline::on_cut(std::unique_ptr<Batch> batch) {
  book_.received(*batch);
  flusher_.submit(std::move(batch));
}

void Pipeline::on_acknowledged(const Batch& batch, std::int64_t started_us, std::int64_t acknowledged_us) {
  acknowledged_us_ = acknowledged_us;
  tracker_.acknowledge(batch.number);
  book_.acknowledged(batch, started_us, acknowledged_us);
  if (flush_timer_is_ == FlushTimer::overdue) flush_timer_is_ = FlushTimer::idle;
  flush_due();
  arm_flush_timer();
  keep_bounds();
  on_progress_();
}

/// Of batches, and of what the sink makes of those in flight.
std::uint64_t Pipeline::batch_bytes() const {
  return flusher_.bytes() + sink_->held_bytes() +
         (batcher_.open() == nullptr ? 0 : batcher_.open()->block->bytes());
}

std::uint64_t Pipeline::buffered_bytes() const {
  return batch_bytes() + intake_.streamed().bytes_in_memory();
}

/// For more records. Streamed transactions have a part of the bound to themselves, beyond which they go to a
/// file, while batches stop the reader: so neither waits for the other's memory.
bool Pipeline::has_room() const {
  return !flusher_.backed_up() && batch_bytes() < setup_.buffered_bytes_max() - setup_.streamed_bytes_max();
}

/// Pauses or resumes what records come from: the stream, or before it a streamed transaction's release.
void Pipeline::keep_bounds() {
  PhaseFigures& figures = book_.reading();
  figures.buffered_bytes_max = std::max(figures.buffered_bytes_max, buffered_bytes());
  figures.batch_bytes_max = std::max(figures.batch_bytes_max, batch_bytes());
  const bool too_much = !has_room();
  // With all the memory in the open batch nothing would ever come back to end the pause.
  if (too_much && flusher_.in_flight() == 0) batcher_.cut();
  if (!too_much && intake_.releasing()) release_soon();
  const bool pause = too_much || intake_.releasing();
  if (pause == stream_.paused()) return;
  if (pause) {
    stream_.pause();
  } else {
    stream_.resume();
  }
}

void Pipeline::release_soon() {
  if (std::exchange(release_is_due_, true)) return;
  boost::asio::post(flush_timer_.get_executor(), [this] { release_more(); });
}

/// As much as there is room for, in turns with whatever else waits on the loop.
void Pipeline::release_more() {
  const BusyMeter::Scope working(meter_);
  release_is_due_ = false;
  std::int64_t now_us = clock_.steady_us();
  const std::int64_t turn_ends_us = now_us + kReleaseTurnUs;
  while (intake_.releasing() && has_room() && now_us < turn_ends_us) {
    intake_.release_next(now_us);
    now_us = clock_.steady_us();
  }
  arm_flush_timer();
  keep_bounds();
  on_progress_();
}

/// Flushes the open batch if it is old enough and a flight is free; while none is, it may as well grow.
void Pipeline::flush_due() {
  if (batcher_.open() == nullptr || !flusher_.has_free_flight()) return;
  if (clock_.steady_us() >= batcher_.due_steady_us()) batcher_.cut();
}

/// Sets the timer for the open batch, unless it runs. One timer serves batch after batch: when it fires for
/// one that was cut in the meantime, it is set for the next. So a busy stream sets it once per interval, not
/// per batch.
void Pipeline::arm_flush_timer() {
  if (flush_timer_is_ != FlushTimer::idle || batcher_.open() == nullptr) return;
  flush_timer_is_ = FlushTimer::running;
  const std::int64_t wait_us = batcher_.due_steady_us() - clock_.steady_us();
  flush_timer_.expires_after(std::chrono::microseconds(std::max<std::int64_t>(wait_us, 0)));
  flush_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const BusyMeter::Scope working(meter_);
    flush_timer_is_ = FlushTimer::idle;
    flush_due();
    keep_bounds();
    // With a flight free, one that has fallen due since is not left to an acknowledgement that may never
    // come.
    const bool overdue = batcher_.open() != nullptr && !flusher_.has_free_flight() &&
                         clock_.steady_us() >= batcher_.due_steady_us();
    if (overdue) flush_timer_is_ = FlushTimer::overdue;
    arm_flush_timer();
  });
}

wire::Lsn Pipeline::confirmable() const {
  switch (setup_.ack_policy()) {
    case proto::ACK_POLICY_AFTER_FLUSH:
      return tracker_.acknowledged();
    case proto::ACK_POLICY_ON_RECEIVE:
      return tracker_.received();
    default:
      return {};  // never: the slot stays where it is
  }
}

void Pipeline::close(std::uint32_t phase) {
  book_.close(phase);
  stream_.begin_phase();
  const StreamedCounts counts = intake_.streamed().counts();
  if (counts.committed + counts.aborted == 0) return;
  spdlog::info(
      "streamed transactions so far: {} committed, {} aborted; sub-transactions aborted: {}; bytes through "
      "the "
      "temporary file: {}",
      counts.committed, counts.aborted, counts.parts_aborted, counts.bytes_spilled);
}

bool Pipeline::drained(std::uint32_t phase) {
  const std::optional<std::uint64_t>& last_batch = book_.of(phase).last_batch;
  return last_batch.has_value() && tracker_.acknowledged_batches() >= *last_batch;
}

void Pipeline::fill(std::uint32_t phase, proto::ConsumerStats& stats) {
  const PhaseFigures& figures = book_.of(phase);
  wire::ChangeTally received = figures.received;
  wire::ChangeTally run_received = book_.run_received();
  if (const Batch* open = batcher_.open(); open != nullptr) {
    if (open->phase == phase) received.merge(open->changes);
    run_received.merge(open->changes);
  }
  wire::to_proto(received, *stats.mutable_received());
  wire::to_proto(figures.acknowledged, *stats.mutable_acknowledged());
  wire::to_proto(figures.replayed, *stats.mutable_replayed());
  wire::to_proto(run_received, *stats.mutable_run_received());
  wire::to_proto(book_.run_acknowledged(), *stats.mutable_run_acknowledged());
  stats.set_batches(figures.batches);
  stats.set_bytes(figures.bytes);
  stats.set_transactions(figures.transactions);
  stats.set_errors(figures.errors);
  stats.set_retries(figures.retries);
  stats.set_flush_error_last(wire::to_utf8(figures.error_last));
  stats.set_encoded_bytes(figures.encoded_bytes);
  stats.set_wire_bytes(figures.wire_bytes);
  stats.set_buffered_bytes(buffered_bytes());
  stats.set_buffered_bytes_max(figures.buffered_bytes_max);
  stats.set_batch_bytes_max(figures.batch_bytes_max);
  stats.set_flushes_in_flight(static_cast<std::uint32_t>(flusher_.in_flight()));
  stats.set_received_lsn(stream_.received().value);
  stats.set_flushed_lsn(tracker_.acknowledged().value);
  stats.set_drained(drained(phase));
  stats.set_quiet_us(static_cast<std::uint64_t>(clock_.steady_us() - acknowledged_us_));
  stats.set_before_commit(figures.before_commit);
  stats.set_before_commit_us_max(static_cast<std::uint64_t>(figures.before_commit_us_max));
  const Outages outages = stream_.outages();
  stats.set_reconnects(outages.reconnects);
  stats.set_offline_us(static_cast<std::uint64_t>(outages.offline_us));
  for (const std::string& story : outages.stories) stats.add_outages(wire::to_utf8(story));
  figures.lag_us.to_proto(*stats.mutable_lag_us());
  figures.receive_us.to_proto(*stats.mutable_receive_us());
  figures.queue_us.to_proto(*stats.mutable_queue_us());
  figures.flush_us.to_proto(*stats.mutable_flush_us());
}

}  // namespace walstorm::consumer
