#include "proto/wire/frame_channel.h"

#include <fmt/format.h>
#include <poll.h>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include "proto/wire/error.h"

namespace walstorm::wire {

namespace asio = boost::asio;
using boost::system::error_code;

FrameChannel::FrameChannel(asio::io_context& loop, int read_fd, int write_fd)
    : in_(loop, read_fd), out_(loop, write_fd) {
  in_.non_blocking(true);
  out_.non_blocking(true);
}

void FrameChannel::start(OnFrame on_frame, OnClosed on_closed) {
  on_frame_ = std::move(on_frame);
  on_closed_ = std::move(on_closed);
  read_some();
}

void FrameChannel::read_some() {
  in_.async_read_some(asio::buffer(chunk_),
                      [this, alive = lifetime_.token()](const error_code& error, std::size_t bytes) {
                        if (alive.expired()) return;
                        if (error == asio::error::operation_aborted) return;
                        if (error) {
                          const bool end = error == asio::error::eof;
                          if (end && decoder_.pending_bytes() > 0)
                            return closed("end of file in the middle of a frame");
                          return closed(end ? "end of file" : error.message());
                        }
                        decoder_.feed({chunk_.data(), bytes});
                        while (true) {
                          std::optional<std::string_view> frame;
                          try {
                            frame = decoder_.next();
                          } catch (const Error& broken) {
                            return closed(broken.what());
                          }
                          if (!frame) break;
                          on_frame_(*frame);
                        }
                        if (in_.is_open()) read_some();
                      });
}

void FrameChannel::closed(const std::string& reason) {
  in_.close();
  if (on_closed_) std::exchange(on_closed_, nullptr)(reason);
}

void FrameChannel::send(const google::protobuf::MessageLite& message) {
  if (!out_.is_open()) return;
  if (queued_.size() > kQueuedBytesMax) {
    throw Error(ErrorKind::unavailable,
                fmt::format("send a frame: the other side has left {} bytes unread", queued_.size()));
  }
  append_frame(message, queued_);
  if (!write_pending_) write_some();
}

bool FrameChannel::offer(const google::protobuf::MessageLite& message) {
  if (queued_.size() > kOfferBytesMax) return false;
  send(message);
  return true;
}

/// Writes what the kernel takes at once, so that `written_` is always what it has.
void FrameChannel::write_some() {
  while (true) {
    if (written_ == writing_.size()) {
      writing_.clear();
      written_ = 0;
      std::swap(writing_, queued_);
    }
    if (writing_.empty()) return;
    const ssize_t bytes =
        ::write(out_.native_handle(), writing_.data() + written_, writing_.size() - written_);
    if (bytes > 0) {
      written_ += static_cast<std::size_t>(bytes);
    } else if (errno == EAGAIN) {
      return wait_to_write();
    } else if (errno != EINTR) {
      // A closed pipe (EPIPE). The reading side reports the peer's end; nothing more can be said to it.
      out_.close();
      return;
    }
  }
}

void FrameChannel::wait_to_write() {
  write_pending_ = true;
  out_.async_wait(out_.wait_write, [this, alive = lifetime_.token()](const error_code& error) {
    if (alive.expired() || error == asio::error::operation_aborted) return;
    write_pending_ = false;
    if (error) {
      out_.close();
      return;
    }
    write_some();
  });
}

void FrameChannel::flush(int timeout_ms) {
  if (!out_.is_open()) return;
  std::string rest = writing_.substr(written_) + queued_;
  out_.cancel();
  std::size_t at = 0;
  while (at < rest.size()) {
    const ssize_t bytes = ::write(out_.native_handle(), rest.data() + at, rest.size() - at);
    if (bytes > 0) {
      at += static_cast<std::size_t>(bytes);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) break;
    pollfd writable{out_.native_handle(), POLLOUT, 0};
    if (::poll(&writable, 1, timeout_ms) == 0) break;
  }
  out_.close();
}

}  // namespace walstorm::wire
