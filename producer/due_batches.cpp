#include "producer/due_batches.h"

#include <chrono>
#include <utility>

namespace walstorm::producer {

DueBatches::DueBatches(boost::asio::io_context& loop, const wire::Clock& clock)
    : clock_(clock), timer_(loop) {}

void DueBatches::start(const Pacer& pacer, std::int64_t started_us) {
  pacer_ = pacer;
  started_us_ = started_us;
  stopping_ = false;
  opening_ = true;
  const auto first = pacer_->next();
  wait(started_us_ + (first ? first->due_us.value_or(0) : 0));
}

void DueBatches::ask(Take take) {
  // Who asks after the end gets nothing of what is still owed; who was waiting then, see wait().
  if (!opening_ && !load_is_on()) return take(std::nullopt);
  idle_.push_back(std::move(take));
  if (!opening_ && !handing_out_) hand_out();
}

void DueBatches::stop() {
  stopping_ = true;
  timer_.cancel();
}

bool DueBatches::load_is_on() const {
  return pacer_ && !stopping_ && clock_.steady_us() < started_us_ + pacer_->schedule().duration_us();
}

std::uint64_t DueBatches::records_not_started(std::int64_t elapsed_us) {
  return pacer_ ? pacer_->records_not_started(elapsed_us) : 0;
}

wire::Histogram DueBatches::ages_not_started(std::int64_t elapsed_us) {
  return pacer_ ? pacer_->ages_not_started(elapsed_us) : wire::Histogram();
}

/// A batch awaited by an idle connection is started even when its timer fires a little after the end of the
/// phase: it fell due in time, and nothing but the timer's grain is late.
void DueBatches::wait(std::int64_t until_us) {
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::microseconds(until_us)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error && !stopping_) return;  // another wait took this one's place
    opening_ = false;
    hand_out();
  });
}

void DueBatches::hand_out() {
  handing_out_ = true;
  while (!idle_.empty()) {
    std::optional<Batch> batch;
    if (const auto next = pacer_->next(); next && !stopping_) {
      batch = Batch{next->number, next->records, std::nullopt};
      if (next->due_us) batch->due_us = started_us_ + *next->due_us;
      if (batch->due_us.value_or(started_us_) > clock_.steady_us()) {
        wait(*batch->due_us);
        break;
      }
      pacer_->take();
    }
    // It may ask again before it returns.
    const Take take = std::move(idle_.front());
    idle_.pop_front();
    take(batch);
  }
  handing_out_ = false;
}

}  // namespace walstorm::producer
