#include "proto/wire/frame_channel.h"

#include <array>
#include <csignal>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "proto/control.pb.h"
#include "proto/wire/framing.h"

namespace walstorm::wire {
namespace {

class FrameChannelOnPipes : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as every main does
    ASSERT_EQ(::pipe(to_us_.data()), 0);
    ASSERT_EQ(::pipe(to_peer_.data()), 0);
    channel_ = std::make_unique<FrameChannel>(loop_, to_us_[0], to_peer_[1]);
    channel_->start([](std::string_view) {}, [this](const std::string& reason) { closed_ = reason; });
  }

  /// The peer is gone.
  void close_peer() {
    ::close(to_us_[1]);
    ::close(to_peer_[0]);
  }

  static proto::ControlFrame some_frame() {
    proto::ControlFrame frame;
    frame.mutable_stop();
    return frame;
  }

  boost::asio::io_context loop_;
  std::array<int, 2> to_us_{}, to_peer_{};
  std::unique_ptr<FrameChannel> channel_;
  std::string closed_;
};

TEST_F(FrameChannelOnPipes, SaysThatThePeerIsGone) {
  close_peer();
  loop_.run();
  EXPECT_EQ(closed_, "end of file");
}

TEST_F(FrameChannelOnPipes, DropsFramesForAPeerThatIsGone) {
  close_peer();
  channel_->send(some_frame());
  loop_.run();
  channel_->send(some_frame());
  EXPECT_EQ(closed_, "end of file");
}

TEST_F(FrameChannelOnPipes, FlushesWhatIsQueuedOnce) {
  proto::ControlFrame large;  // more than a pipe takes at once
  large.mutable_setup()->set_run_id(std::string(100'000, 'x'));
  std::string expected;
  for (const proto::ControlFrame& frame : {some_frame(), large, some_frame()}) {
    append_frame(frame, expected);
    channel_->send(frame);
  }
  std::string arrived;
  const auto read_what_is_there = [&] {
    std::array<char, 65'536> chunk{};
    const ssize_t bytes = ::read(to_peer_[0], chunk.data(), chunk.size());
    ASSERT_GT(bytes, 0);
    arrived.append(chunk.data(), static_cast<std::size_t>(bytes));
  };
  read_what_is_there();
  channel_->flush(0);
  read_what_is_there();
  EXPECT_EQ(arrived.size(), expected.size());
  EXPECT_EQ(arrived, expected);
}

/// The write fails at once, and its handler waits in the loop for a channel that is gone by then: it must not
/// touch what another channel made of that memory and of those descriptors.
TEST_F(FrameChannelOnPipes, CanGoWhileTheLoopHoldsItsHandlers) {
  close_peer();
  channel_->send(some_frame());
  channel_.reset();
  std::array<int, 2> next_to_us{}, next_to_peer{};
  ASSERT_EQ(::pipe(next_to_us.data()), 0);
  ASSERT_EQ(::pipe(next_to_peer.data()), 0);
  channel_ = std::make_unique<FrameChannel>(loop_, next_to_us[0], next_to_peer[1]);
  loop_.poll();
  EXPECT_EQ(closed_, "");
  channel_->send(some_frame());
  loop_.poll();
  char first_byte = 0;
  EXPECT_EQ(::read(next_to_peer[0], &first_byte, 1), 1) << "the next channel's descriptor was closed";
  ::close(next_to_us[1]);
  ::close(next_to_peer[0]);
}

}  // namespace
}  // namespace walstorm::wire
