#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "consumer/batch.h"
#include "consumer/sink.h"
#include "proto/wire/clock.h"

namespace walstorm::consumer {

/// Batches on their way into the sink: at most so many at once, the others wait in order.
class Flusher final {
 public:
  /// `batch` is recycled when the call returns.
  using OnAcknowledged = std::function<void(const Batch& batch, std::int64_t started_unix_us,
                                            std::int64_t acknowledged_unix_us)>;

  /// `concurrency_max` is at least 1; `sink`, `pool` and `clock` outlive the flusher.
  Flusher(std::size_t concurrency_max, Sink& sink, BatchPool& pool, const wire::Clock& clock,
          OnAcknowledged on_acknowledged);

  /// Starts the flush, or lets it wait for its turn.
  void submit(std::unique_ptr<Batch> batch);

  /// A batch is waiting: more would only pile up.
  [[nodiscard]] bool backed_up() const { return !waiting_.empty(); }
  [[nodiscard]] bool has_free_flight() const { return !free_.empty(); }
  [[nodiscard]] std::size_t in_flight() const { return flights_.size() - free_.size(); }
  /// Of all batches here, waiting or in flight.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Flight {
    std::unique_ptr<Batch> batch;  // null: free
    std::int64_t started_unix_us = 0;
  };

  void start(std::unique_ptr<Batch> batch);
  void land(Flight& flight);

  Sink& sink_;
  BatchPool& pool_;
  const wire::Clock& clock_;
  OnAcknowledged on_acknowledged_;
  std::vector<Flight> flights_;
  std::vector<Flight*> free_;
  std::deque<std::unique_ptr<Batch>> waiting_;
  std::uint64_t bytes_ = 0;
};

}  // namespace walstorm::consumer
