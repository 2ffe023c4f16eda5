#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "producer/pacer.h"
#include "proto/wire/clock.h"
#include "proto/wire/histogram.h"

namespace walstorm::producer {

/// Batches of a phase, each handed out as it falls due to the connection that has been idle for longest: in
/// turn while all who ask keep up, and past one that is stuck.
///
/// Who asks is who may write them: every connection of the producer in a load of inserts alone; where batches
/// update or delete rows, only the connection that made those. When the phase's duration is over, batches
/// still owed are dropped (Pacer counts them). Lives on the worker's loop.
class DueBatches final {
 public:
  struct Batch {
    std::uint64_t number = 0;
    std::uint32_t records = 0;
    std::optional<std::int64_t> due_us;  ///< steady clock; nullopt when unthrottled
  };
  /// nullopt: there is nothing left to start.
  using Take = std::function<void(std::optional<Batch>)>;

  /// `clock` must be the machine's (timers are) and outlive this, as must `loop`.
  DueBatches(boost::asio::io_context& loop, const wire::Clock& clock);

  /// Starts a phase whose schedule began at `started_us` (steady clock). Whoever asks before the loop turns
  /// is answered from it, also where something is due at once: PhaseReady goes out first.
  void start(const Pacer& pacer, std::int64_t started_us);

  /// For an idle connection: `take` is called once, at once where something is due.
  void ask(Take take);

  /// Nothing further is handed out.
  void stop();

  /// A batch may still be started.
  [[nodiscard]] bool load_is_on() const;

  /// See Pacer; `elapsed_us` since the phase's start. Nothing before the first phase.
  [[nodiscard]] std::uint64_t records_not_started(std::int64_t elapsed_us);
  [[nodiscard]] wire::Histogram ages_not_started(std::int64_t elapsed_us);

 private:
  void wait(std::int64_t until_us);
  void hand_out();

  const wire::Clock& clock_;
  boost::asio::steady_timer timer_;
  std::deque<Take> idle_;

  // Of the phase that is on.
  std::optional<Pacer> pacer_;
  std::int64_t started_us_ = 0;
  bool opening_ = false;  // the loop has not turned since start()
  bool handing_out_ = false;
  bool stopping_ = false;
};

}  // namespace walstorm::producer
