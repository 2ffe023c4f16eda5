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
  if (!out_.is_open() || closing_) return;
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

void FrameChannel::close_writing() {
  closing_ = true;
  if (!write_pending_ && out_.is_open()) out_.close();
}

void FrameChannel::write_some() {
  if (written_ == writing_.size()) {
    writing_.clear();
    written_ = 0;
    std::swap(writing_, queued_);
  }
  if (writing_.empty()) {
    if (closing_) out_.close();
    return;
  }
  write_pending_ = true;
  const auto rest = asio::buffer(writing_.data() + written_, writing_.size() - written_);
  out_.async_write_some(rest, [this, alive = lifetime_.token()](const error_code& error, std::size_t bytes) {
    if (alive.expired()) return;
    if (error == asio::error::operation_aborted) return;
    write_pending_ = false;
    if (error) {
      // A closed pipe (EPIPE). The reading side reports the peer's end; nothing more can be said to it.
      out_.close();
      return;
    }
    written_ += bytes;
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
