#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "consumer/metrics/busy_meter.h"
#include "consumer/stream/replication_stream.h"
#include "proto/wire/clock.h"
#include "proto/wire/worker_session.h"

namespace walstorm::consumer {

class Pipeline;

/// The consumer process, as the control frames ask: START HERE.
///
/// Reading starts with Setup and ends with the process; phases only say which figures are asked for. One
/// thread, one loop.
class ConsumerWorker final : public wire::Worker {
 public:
  /// Both outlive the worker.
  ConsumerWorker(boost::asio::io_context& loop, wire::WorkerSession& session);
  ~ConsumerWorker() override;

  void setup(const proto::Setup& setup) override;
  void start_phase(const proto::StartPhase& phase) override;
  void end_phase(const proto::EndPhase& end) override;
  void check_content(const proto::CheckContent& check) override;
  void fill(proto::Sample& sample) override;
  void fill(proto::PhaseResult& result) override;
  std::optional<wire::ClockOffset> compare_clocks() override;

 private:
  void fill(proto::ConsumerStats& stats, std::uint64_t heap_bytes);
  void finish_when_drained();
  void finish();

  boost::asio::io_context& loop_;
  wire::WorkerSession& session_;
  wire::SystemClock clock_;
  BusyMeter meter_;
  boost::asio::steady_timer drain_timer_;
  std::unique_ptr<Pipeline> pipeline_;  // from Setup on
  std::string conninfo_;
  std::uint32_t phase_ = 0;
  bool ending_ = false;
  std::int64_t phase_began_us_ = 0;
  std::int64_t busy_before_us_ = 0;
  std::uint64_t heap_bytes_max_ = 0;
};

}  // namespace walstorm::consumer
