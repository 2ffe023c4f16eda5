#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/measure/fold/phase_fold.h"
#include "orchestrator/postgres/sampler.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/target/target.h"
#include "proto/wire/clock.h"
#include "proto/wire/lifetime.h"

namespace walstorm::run {

/// The await_second of a phase: once a second it looks at the servers and at the orchestrator itself, feeds
/// what it sees to the phase's fold, and closes the second. Seconds in which this process stood still are
/// left out: what is read after them is of no second alone, and the fold is told of them. Lives on the loop,
/// for one phase; the fold, the clock, the session and the target outlive it.
class PhaseWatch final {
 public:
  using OnSecond = std::function<void(const measure::Second&)>;

  /// `on_server_back` is called when PostgreSQL answers again after it did not.
  PhaseWatch(process::EventLoop& loop, postgres::Session& session, std::string slot, std::string database,
             const wire::EvenClock& clock, measure::PhaseFold& fold, OnSecond on_second,
             std::function<void()> on_server_back, target::Target& target);

  /// `on_server` is told of each look at PostgreSQL, before it is folded.
  void tell(std::function<void(const postgres::ServerSample&)> on_server) {
    on_server_ = std::move(on_server);
  }

  /// A last look at the servers, so that the phase's figures go to its end; waits a moment for it.
  void finish();

 private:
  void await_second();
  void close_second();
  [[nodiscard]] bool stood_still(std::chrono::steady_clock::duration behind_whole_second);
  void look();
  void look_at_target();
  void take(postgres::ServerSample sample);

  process::EventLoop& loop_;
  const wire::EvenClock& clock_;
  measure::PhaseFold& fold_;
  OnSecond on_second_;
  std::function<void()> on_server_back_;
  std::function<void(const postgres::ServerSample&)> on_server_;  // may be empty
  postgres::Sampler sampler_;
  target::Target& target_;
  bool counting_parts_ = false;
  boost::asio::steady_timer timer_;
  std::int64_t second_began_unix_us_;
  bool second_is_whole_ = true;  // false: a standstill is in it
  wire::Lifetime lifetime_;
};

}  // namespace walstorm::run
