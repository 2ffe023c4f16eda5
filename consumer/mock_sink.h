#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "consumer/busy_meter.h"
#include "consumer/mock_schedule.h"
#include "consumer/sink.h"
#include "proto/control.pb.h"
#include "proto/wire/clock.h"

namespace walstorm::consumer {

/// A sink that pays for the encoding as a real one does, keeps nothing, and answers when its schedule says.
class MockSink final : public Sink {
 public:
  /// All outlive the sink. Lives on `loop`.
  MockSink(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter,
           const proto::MockSinkSetup& setup);

  void submit(const Batch& batch, Done done) override;

 private:
  struct Answer {
    double at_us = 0;
    Done done;
  };

  void wait_for_next();
  void answer_due();

  boost::asio::io_context& loop_;
  const wire::Clock& clock_;
  BusyMeter& meter_;
  MockSchedule schedule_;
  boost::asio::steady_timer timer_;
  std::string wire_bytes_;      // reused
  std::deque<Answer> answers_;  // by time; one wait is under way while there are any
};

}  // namespace walstorm::consumer
