#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "consumer/batch/batch.h"
#include "consumer/metrics/busy_meter.h"
#include "consumer/sink/sink.h"
#include "proto/wire/backoff.h"
#include "proto/wire/clock.h"

namespace walstorm::consumer {

struct FlushLimits {
  /// At least 1.
  std::size_t concurrency_max = 1;
  /// For how long all attempts of one batch may fail, from the beginning of its first.
  std::int64_t give_up_us = 60'000'000;
  wire::Backoff::Limits backoff = {};
  std::uint64_t seed = 1;  ///< of the back-off's jitter
};

/// Batches on their way into the sink: at most so many at once, the others wait in order. A batch is never
/// dropped: a failed attempt is followed by another, after a back-off, with the same batch in the same
/// flight, until it is landed or, having failed for too long, is given up, and the process with it: that
/// others land beside it does not help it. Lives on the loop.
class Flusher final {
 public:
  struct Handlers {
    /// `batch` is landed; it is recycled when the call returns. It began with its first attempt. Both times
    /// are of the steady clock.
    std::function<void(const Batch& batch, std::int64_t started_us, std::int64_t acknowledged_us)>
        on_acknowledged;
    /// An attempt to land `batch` has ended; `retry`: it was not the first.
    std::function<void(const Batch& batch, const Landing& landing, bool retry)> on_attempt;
  };

  /// All but `limits` and `handlers` outlive the flusher. Throws Error{unavailable} on the loop when it gives
  /// up.
  Flusher(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
          const FlushLimits& limits, Sink& sink, BatchPool& pool, Handlers handlers);

  /// Starts the flush, or lets it wait for its turn.
  void submit(std::unique_ptr<Batch> batch);

  /// A batch is waiting: more would only pile up.
  [[nodiscard]] bool backed_up() const { return !waiting_.empty(); }
  [[nodiscard]] bool has_free_flight() const { return !free_.empty(); }
  /// Those that wait for another attempt too.
  [[nodiscard]] std::size_t in_flight() const { return flights_.size() - free_.size(); }
  /// Of all batches here, waiting or in flight.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Flight {
    explicit Flight(boost::asio::io_context& loop) : retry_timer(loop) {}

    std::unique_ptr<Batch> batch;  // null: free
    std::int64_t started_us = 0;   // by the steady clock
    std::uint64_t failures = 0;
    boost::asio::steady_timer retry_timer;
  };

  void start(std::unique_ptr<Batch> batch);
  void attempt(Flight& flight);
  void on_answer(Flight& flight, const Landing& landing);
  void land(Flight& flight);
  void retry_later(Flight& flight, const Landing& landing);

  const wire::Clock& clock_;
  BusyMeter& meter_;
  const FlushLimits limits_;
  Sink& sink_;
  BatchPool& pool_;
  Handlers handlers_;
  wire::Backoff backoff_;
  std::deque<Flight> flights_;  // a flight never moves
  std::vector<Flight*> free_;
  std::deque<std::unique_ptr<Batch>> waiting_;
  std::uint64_t bytes_ = 0;
  std::optional<std::int64_t> warned_us_;
};

}  // namespace walstorm::consumer
