#include "consumer/sink/mock_sink.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace walstorm::consumer {
namespace {

MockSchedule::Behaviour behaviour_of(const proto::MockSinkSetup& setup) {
  MockSchedule::Behaviour behaviour{.delay_us = setup.delay_ms() * 1000,
                                    .jitter_us = setup.jitter_ms() * 1000,
                                    .error_rate = setup.error_rate(),
                                    .records_per_sec_max = setup.records_per_sec_max(),
                                    .seed = setup.seed()};
  for (const proto::MockStall& stall : setup.stalls()) {
    behaviour.stalls.push_back({stall.at_sec() * 1e6, (stall.at_sec() + stall.duration_sec()) * 1e6});
  }
  return behaviour;
}

}  // namespace

MockSink::MockSink(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
                   const BlockForm& form, proto::Compression compression, const proto::MockSinkSetup& setup)
    : loop_(loop),
      clock_(clock),
      meter_(meter),
      form_(form),
      schedule_(behaviour_of(setup)),
      compressor_(compression),
      timer_(loop) {}

void MockSink::load_starts() {
  schedule_.start(static_cast<double>(clock_.steady_us()));
}

void MockSink::submit(const Batch& batch, Done done) {
  encoded_.clear();
  batch.block->serialize(encoded_);
  const std::string_view body = compressor_.compress(encoded_, body_);
  const MockSchedule::Answer answer =
      schedule_.answer(static_cast<double>(clock_.steady_us()), batch.changes.records());
  const std::uint64_t number = ++attempts_;
  answers_.push_back({answer.at_us, number, answer.failed, encoded_.size(), body.size(), std::move(done)});
  std::push_heap(answers_.begin(), answers_.end(), Later());
  if (!answering_ && answers_.front().number == number) wait_for_next();
}

/// Sets the one wait for the answer that is due first; a wait for a later one is given up.
void MockSink::wait_for_next() {
  if (posted_) return;
  const double wait_us = answers_.front().at_us - static_cast<double>(clock_.steady_us());
  if (wait_us <= 0) {
    posted_ = true;
    boost::asio::post(loop_, [this] {
      posted_ = false;
      answer_due();
    });
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
  answering_ = true;
  while (!answers_.empty() && answers_.front().at_us <= now_us) {
    std::pop_heap(answers_.begin(), answers_.end(), Later());
    const Answer answer = std::move(answers_.back());
    answers_.pop_back();
    answer.done({answer.failed ? "an error on order (consumer.mock.errorRate)" : "", answer.encoded_bytes,
                 answer.wire_bytes});
  }
  answering_ = false;
  if (!answers_.empty()) wait_for_next();
}

}  // namespace walstorm::consumer
