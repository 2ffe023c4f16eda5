#include "consumer/mock_sink.h"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace walstorm::consumer {

MockSink::MockSink(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
                   const proto::MockSinkSetup& setup)
    : loop_(loop),
      clock_(clock),
      meter_(meter),
      schedule_(setup.delay_ms() * 1000, setup.records_per_sec_max()),
      timer_(loop) {}

void MockSink::submit(const Batch& batch, Done done) {
  wire_bytes_.clear();
  batch.block.serialize(wire_bytes_);
  const auto now_us = static_cast<double>(clock_.steady_us());
  answers_.push_back({schedule_.answer_at_us(now_us, batch.changes.records()), std::move(done)});
  if (answers_.size() == 1) wait_for_next();
}

void MockSink::wait_for_next() {
  const double wait_us = answers_.front().at_us - static_cast<double>(clock_.steady_us());
  if (wait_us <= 0) {
    boost::asio::post(loop_, [this] { answer_due(); });
    return;
  }
  timer_.expires_after(std::chrono::nanoseconds(static_cast<std::int64_t>(wait_us * 1000)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) answer_due();
  });
}

void MockSink::answer_due() {
  const BusyMeter::Scope working(meter_);
  const auto now_us = static_cast<double>(clock_.steady_us());
  // An answer may bring the next submit, which must not start a second wait: the answered one stays in front
  // till then.
  while (!answers_.empty() && answers_.front().at_us <= now_us) {
    const Done done = std::exchange(answers_.front().done, nullptr);
    done();
    answers_.pop_front();
  }
  if (!answers_.empty()) wait_for_next();
}

}  // namespace walstorm::consumer
