#include "consumer/flusher.h"

#include <utility>

namespace walstorm::consumer {

Flusher::Flusher(std::size_t concurrency_max, Sink& sink, BatchPool& pool, const wire::Clock& clock,
                 OnAcknowledged on_acknowledged)
    : sink_(sink),
      pool_(pool),
      clock_(clock),
      on_acknowledged_(std::move(on_acknowledged)),
      flights_(concurrency_max) {
  for (Flight& flight : flights_) free_.push_back(&flight);
}

void Flusher::submit(std::unique_ptr<Batch> batch) {
  bytes_ += batch->block.bytes();
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
  flight.started_unix_us = clock_.unix_us();
  sink_.submit(*flight.batch, [this, &flight] { land(flight); });
}

void Flusher::land(Flight& flight) {
  const std::int64_t acknowledged_unix_us = clock_.unix_us();
  const std::int64_t started_unix_us = flight.started_unix_us;
  std::unique_ptr<Batch> batch = std::move(flight.batch);
  free_.push_back(&flight);
  bytes_ -= batch->block.bytes();
  if (!waiting_.empty()) {
    std::unique_ptr<Batch> next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
  on_acknowledged_(*batch, started_unix_us, acknowledged_unix_us);
  pool_.give_back(std::move(batch));
}

}  // namespace walstorm::consumer
