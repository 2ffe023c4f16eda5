#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "producer/due_batches.h"
#include "producer/pacer.h"
#include "producer/phase_stats.h"
#include "producer/postgres/pg_connection.h"
#include "producer/postgres/row_writer.h"
#include "producer/recovery.h"
#include "producer/rows/row_source.h"
#include "producer/write_loop.h"
#include "proto/wire/clock.h"
#include "proto/wire/worker_session.h"

namespace walstorm::producer {

/// The producer: start here. Answers the orchestrator's frames by running one WriteLoop for each connection.
///
/// Everything is on one thread, the worker's loop. Rows and their versions persist over phases.
class ProducerWorker final : public wire::Worker {
 public:
  /// Both outlive this.
  ProducerWorker(boost::asio::io_context& loop, wire::WorkerSession& session);

  void setup(const proto::Setup& setup) override;
  void start_phase(const proto::StartPhase& phase) override;
  void end_phase(const proto::EndPhase& end) override;
  void check_content(const proto::CheckContent& check) override;
  void fill(proto::Sample& sample) override;
  void fill(proto::PhaseResult& result) override;
  std::optional<wire::ClockOffset> compare_clocks() override;

 private:
  /// One connection with all that writes by it.
  struct Lane {
    std::uint32_t slot = 0;
    std::unique_ptr<PgConnection> connection;
    std::unique_ptr<RowWriter> writer;
    std::unique_ptr<RowWriter> preload_writer;
    std::unique_ptr<Recovery> recovery;
    std::unique_ptr<WriteLoop> loop;
    std::unique_ptr<DueBatches> due;  // of its own slot
  };

  void start_lanes(const proto::StartPhase& phase);
  [[nodiscard]] bool any_may_write() const;
  void add_lane(std::uint32_t connection, const ConnectOptions& connect, PgSession session);
  [[nodiscard]] std::unique_ptr<RowWriter> make_writer(PgConnection& connection, proto::WriteMode mode) const;
  [[nodiscard]] std::size_t row_bytes_mean() const;
  [[nodiscard]] std::uint32_t preload_batch_size(std::uint64_t rows) const;
  [[nodiscard]] PhaseLoad load_of(const proto::StartPhase& phase) const;
  void when_connected(const std::function<void()>& then);
  void check_rows(std::uint64_t rows);
  void check_finished();
  void fill(proto::ProducerStats& stats);

  boost::asio::io_context& loop_;
  wire::WorkerSession& session_;
  const wire::EvenClock& clock_;  // the session's
  proto::ProducerSetup options_;
  std::optional<RowSource> source_;  // from setup on
  std::vector<Lane> lanes_;
  DueBatches shared_;  // of all its slots

  // Of the phase that is on, or was last.
  PhaseStats stats_;
  std::optional<Schedule> schedule_;
  boost::asio::steady_timer load_over_;
  std::int64_t started_us_ = 0;  // steady clock
  std::int64_t started_unix_us_ = 0;
  std::optional<std::int64_t> stopped_us_;  // when EndPhase came, since the phase's start
  std::size_t loops_running_ = 0;
  bool window_open_ = false;  // the schedule's end has not been reached
  bool load_finished_ = false;
  bool result_due_ = false;
};

}  // namespace walstorm::producer
