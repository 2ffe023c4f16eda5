#include "consumer/consumer_worker.h"

#include <algorithm>
#include <chrono>
#include <spdlog/spdlog.h>

#include "consumer/pipeline.h"
#include "proto/postgres/server_clock.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

/// For the comparison with PostgreSQL's clock. Meanwhile nothing is read and no status is sent: much less
/// than a server's timeout.
constexpr std::chrono::milliseconds kClockTimeout{2000};

}  // namespace

ConsumerWorker::ConsumerWorker(boost::asio::io_context& loop, wire::WorkerSession& session)
    : loop_(loop), session_(session), meter_(clock_), drain_timer_(loop) {}

ConsumerWorker::~ConsumerWorker() = default;

void ConsumerWorker::setup(const proto::Setup& setup) {
  conninfo_ = setup.consumer().postgres();
  pipeline_ = std::make_unique<Pipeline>(loop_, clock_, meter_, setup, [this] { finish_when_drained(); });
}

void ConsumerWorker::start_phase(const proto::StartPhase& phase) {
  phase_ = phase.phase_index();
  phase_began_us_ = clock_.steady_us();
  busy_before_us_ = meter_.busy_us();
  heap_bytes_max_ = 0;
  if (phase_ == 0) pipeline_->load_starts();
}

void ConsumerWorker::end_phase(const proto::EndPhase& end) {
  if (end.phase_index() != phase_ || ending_) {
    throw wire::Error(wire::ErrorKind::protocol, "EndPhase for a phase that is not on");
  }
  session_.send_sample();
  ending_ = true;
  drain_timer_.expires_after(std::chrono::milliseconds(end.drain_timeout_ms()));
  drain_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !ending_) return;
    spdlog::warn("phase {} was not drained in time", phase_);
    finish();
  });
  finish_when_drained();
}

void ConsumerWorker::check_content(const proto::CheckContent&) {
  throw wire::Error(wire::ErrorKind::protocol, "CheckContent is for producers");
}

void ConsumerWorker::finish_when_drained() {
  if (ending_ && pipeline_->drained(phase_)) finish();
}

void ConsumerWorker::finish() {
  ending_ = false;
  drain_timer_.cancel();
  session_.send_result();
  pipeline_->close(phase_);
}

std::optional<wire::ClockOffset> ConsumerWorker::compare_clocks() {
  const auto offset = postgres::compare_clocks(conninfo_, clock_, kClockTimeout);
  if (offset) pipeline_->set_clock(*offset);
  return offset;
}

void ConsumerWorker::fill(proto::Sample& sample) {
  fill(*sample.mutable_consumer(), sample.usage().heap_bytes());
}

void ConsumerWorker::fill(proto::PhaseResult& result) {
  fill(*result.mutable_consumer(), result.usage().heap_bytes());
}

void ConsumerWorker::fill(proto::ConsumerStats& stats, std::uint64_t heap_bytes) {
  pipeline_->fill(phase_, stats);
  heap_bytes_max_ = std::max(heap_bytes_max_, heap_bytes);
  stats.set_heap_bytes_max(heap_bytes_max_);
  stats.set_busy_us(static_cast<std::uint64_t>(meter_.busy_us() - busy_before_us_));
  stats.set_elapsed_us(static_cast<std::uint64_t>(clock_.steady_us() - phase_began_us_));
}

}  // namespace walstorm::consumer
