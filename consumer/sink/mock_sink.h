#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "consumer/encode/block_form.h"
#include "consumer/encode/compression.h"
#include "consumer/metrics/busy_meter.h"
#include "consumer/sink/mock_schedule.h"
#include "consumer/sink/sink.h"
#include "proto/control.pb.h"
#include "proto/wire/clock.h"

namespace walstorm::consumer {

/// A sink that pays for encoding and compressing as a real one does, keeps nothing, and answers when its
/// schedule says: all but the network.
class MockSink final : public Sink {
 public:
  /// `loop`, `clock` and `meter` outlive the sink. Lives on `loop`.
  MockSink(boost::asio::io_context& loop, const wire::Clock& clock, BusyMeter& meter, const BlockForm& form,
           proto::Compression compression, const proto::MockSinkSetup& setup);

  [[nodiscard]] std::unique_ptr<Block> make_block() const override { return consumer::make_block(form_); }
  void submit(const Batch& batch, Done done) override;
  void load_starts() override;

 private:
  struct Answer {
    double at_us = 0;
    std::uint64_t number = 0;  // of the attempt: of answers due at once the older is the first
    bool failed = false;
    std::uint64_t encoded_bytes = 0;
    std::uint64_t wire_bytes = 0;
    Done done;
  };
  /// A heap's order: the earliest answer on top.
  struct Later {
    bool operator()(const Answer& a, const Answer& b) const {
      return a.at_us != b.at_us ? a.at_us > b.at_us : a.number > b.number;
    }
  };

  void wait_for_next();
  void answer_due();

  boost::asio::io_context& loop_;
  const wire::Clock& clock_;
  BusyMeter& meter_;
  const BlockForm form_;
  MockSchedule schedule_;
  Compressor compressor_;
  boost::asio::steady_timer timer_;
  std::string encoded_;          // reused
  std::string body_;             // reused
  std::vector<Answer> answers_;  // a heap
  std::uint64_t attempts_ = 0;
  bool posted_ = false;     // answer_due is on its way
  bool answering_ = false;  // answer_due is under way, and will see to the next wait
};

}  // namespace walstorm::consumer
