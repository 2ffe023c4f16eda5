#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <google/protobuf/message_lite.h>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "proto/wire/framing.h"
#include "proto/wire/lifetime.h"

namespace walstorm::wire {

/// Frames in and out over a pair of pipes, without blocking.
///
/// Owns both descriptors. Lives on one loop; callbacks run there, and exceptions that they throw leave
/// io_context::run. Must outlive the loop's last turn or be destroyed between turns.
class FrameChannel final {
 public:
  /// One frame's message bytes, valid during the call.
  using OnFrame = std::function<void(std::string_view)>;
  /// The peer's end is gone, or it broke the framing; called once, with the reason ("end of file", ...).
  using OnClosed = std::function<void(const std::string& reason)>;

  /// `read_fd` and `write_fd` are pipes or sockets; both become this object's.
  FrameChannel(boost::asio::io_context& loop, int read_fd, int write_fd);
  FrameChannel(const FrameChannel&) = delete;
  FrameChannel& operator=(const FrameChannel&) = delete;

  void start(OnFrame on_frame, OnClosed on_closed);

  /// Queues a frame that must arrive. Throws Error{unavailable} when the peer has left kQueuedBytesMax
  /// unread. Once the peer is gone, frames are dropped: on_closed is how the owner learns of it.
  void send(const google::protobuf::MessageLite& message);

  /// Queues a frame that may be lost: returns false, and drops it, while the peer is not reading.
  bool offer(const google::protobuf::MessageLite& message);

  /// Writes what is queued before the process ends, waiting at most `timeout_ms` for the peer to read.
  void flush(int timeout_ms);

 private:
  static constexpr std::size_t kQueuedBytesMax = 16U << 20;
  static constexpr std::size_t kOfferBytesMax = 256U << 10;

  void read_some();
  void write_some();
  void wait_to_write();
  void closed(const std::string& reason);

  boost::asio::posix::stream_descriptor in_;
  boost::asio::posix::stream_descriptor out_;
  OnFrame on_frame_;
  OnClosed on_closed_;
  FrameDecoder decoder_;
  std::array<char, 64U << 10> chunk_{};
  std::string queued_;   // not yet given to the kernel
  std::string writing_;  // being written
  std::size_t written_ = 0;
  bool write_pending_ = false;
  Lifetime lifetime_;
};

}  // namespace walstorm::wire
