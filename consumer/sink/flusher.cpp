#include "consumer/sink/flusher.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <utility>

#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

/// A sink that fails now and then must not fill the log.
constexpr std::int64_t kWarnEveryUs = 10'000'000;

}  // namespace

Flusher::Flusher(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
                 const FlushLimits& limits, Sink& sink, BatchPool& pool, Handlers handlers)
    : clock_(clock),
      meter_(meter),
      limits_(limits),
      sink_(sink),
      pool_(pool),
      handlers_(std::move(handlers)),
      backoff_(limits.backoff, limits.seed) {
  for (std::size_t i = 0; i < limits.concurrency_max; ++i) free_.push_back(&flights_.emplace_back(loop));
}

void Flusher::submit(std::unique_ptr<Batch> batch) {
  bytes_ += batch->block->bytes();
  if (free_.empty()) {
    waiting_.push_back(std::move(batch));
  } else {
    start(std::move(batch));
  }
}

void Flusher::start(std::unique_ptr<Batch> batch) {
  Flight& flight = *free_.back();
  free_.pop_back();
  flight.batch = std::move(batch);
  flight.started_us = clock_.steady_us();
  flight.failures = 0;
  attempt(flight);
}

void Flusher::attempt(Flight& flight) {
  sink_.submit(*flight.batch, [this, &flight](const Landing& landing) { on_answer(flight, landing); });
}

void Flusher::on_answer(Flight& flight, const Landing& landing) {
  handlers_.on_attempt(*flight.batch, landing, flight.failures > 0);
  if (landing.error.empty()) {
    land(flight);
  } else {
    retry_later(flight, landing);
  }
}

void Flusher::land(Flight& flight) {
  const std::int64_t acknowledged_us = clock_.steady_us();
  const std::int64_t started_us = flight.started_us;
  std::unique_ptr<Batch> batch = std::move(flight.batch);
  free_.push_back(&flight);
  bytes_ -= batch->block->bytes();
  if (!waiting_.empty()) {
    std::unique_ptr<Batch> next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
  handlers_.on_acknowledged(*batch, started_us, acknowledged_us);
  pool_.give_back(std::move(batch));
}

void Flusher::retry_later(Flight& flight, const Landing& landing) {
  const std::int64_t now_us = clock_.steady_us();
  ++flight.failures;
  if (!warned_us_ || now_us - *warned_us_ >= kWarnEveryUs) {
    warned_us_ = now_us;
    spdlog::warn("a flush failed and is tried again: {}", landing.error);
  }
  const std::int64_t give_up_at_us = flight.started_us + limits_.give_up_us;
  if (now_us >= give_up_at_us) {
    throw wire::Error(
        wire::ErrorKind::unavailable,
        fmt::format("flush into the sink: every attempt of the last {:.4g} s to land one batch failed, {} of "
                    "them, the "
                    "last with: {}. Its {} records from {} on are not landed, and the slot is not confirmed "
                    "past them. "
                    "See to the sink; clickhouse.giveUpSec is how long a batch may fail",
                    static_cast<double>(now_us - flight.started_us) / 1e6, flight.failures, landing.error,
                    flight.batch->changes.records(), wire::to_string(flight.batch->first_lsn)));
  }
  // The last attempt is made when time is up, not before.
  const std::int64_t wait_us = std::min(backoff_.wait_us(flight.failures), give_up_at_us - now_us);
  flight.retry_timer.expires_after(std::chrono::microseconds(wait_us));
  flight.retry_timer.async_wait([this, &flight](const boost::system::error_code& error) {
    if (error) return;
    const BusyMeter::Scope working(meter_);
    attempt(flight);
  });
}

}  // namespace walstorm::consumer
