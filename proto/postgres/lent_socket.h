#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "proto/postgres/connection.h"
#include "proto/wire/lifetime.h"

namespace walstorm::postgres {

/// The socket of a libpq connection, lent to a loop for one wait at a time and never closed by it. While it
/// connects, libpq may close one socket and open another under the same number, of which the loop's
/// registration would know nothing. Lives on the loop.
class LentSocket final {
 public:
  explicit LentSocket(boost::asio::io_context& loop) : descriptor_(loop) {}
  LentSocket(const LentSocket&) = delete;
  LentSocket& operator=(const LentSocket&) = delete;
  ~LentSocket() { release(); }

  /// `then` is called on the loop when `socket` is ready for it. A wait that is under way is void.
  void wait(int socket, Wants wants, std::function<void()> then) {
    release();
    descriptor_.assign(socket);
    descriptor_.async_wait(wants == Wants::read ? descriptor_.wait_read : descriptor_.wait_write,
                           [this, alive = lifetime_.token(), mine = number_,
                            then = std::move(then)](const boost::system::error_code& error) {
                             if (error || alive.expired() || mine != number_) return;
                             release();
                             then();
                           });
  }

  /// Before libpq may close the socket. `then` of a wait that is under way is not called any more.
  void release() {
    ++number_;
    if (descriptor_.is_open()) descriptor_.release();
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
  std::uint64_t number_ = 0;  // of waits
  wire::Lifetime lifetime_;
};

}  // namespace walstorm::postgres
