#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace walstorm::consumer {

/// How long a busy stream is left alone between two reads, so that one read finds many messages.
///
/// The walsender hands each message to the kernel by itself. A reader that waits for the socket is put to
/// sleep and woken for nearly each of them, and the walsender pays the other half of every wake-up: most of
/// what reading costs on either side. So after a read that found something the next one comes a moment later
/// instead, and the moment is chosen so that a read finds about as much as is wanted: longer while reads find
/// less, shorter while they find more. A read that finds nothing ends it: then the socket is waited for, and
/// an idle stream costs nothing.
///
/// The bounds: kLongestUs is what a record can be late by at most, and what everything else on the loop may
/// have to wait. What is wanted is well below what a socket holds for a reader, so that the walsender is not
/// held up: a unix socket counts each message with its overhead, and holds some 90 of 1 KB. A burst begins
/// with kShortestUs: the few transactions of a slow load are over before the window has grown.
class GatherWindow final {
 public:
  static constexpr std::int64_t kShortestUs = 20;
  static constexpr std::int64_t kLongestUs = 300;
  static constexpr std::size_t kBytesWanted = std::size_t{40} * 1024;
  static constexpr std::size_t kBytesWantedUnix = std::size_t{24} * 1024;

  /// A read has found so many bytes of whole messages. Returns for how long to let more gather, in
  /// microseconds; 0: wait for the socket.
  [[nodiscard]] std::int64_t after_read(std::size_t bytes) {
    if (bytes == 0) return window_us_ = 0;
    if (window_us_ == 0) return window_us_ = kShortestUs;
    const auto fitting =
        static_cast<std::int64_t>(static_cast<std::size_t>(window_us_) * bytes_wanted_ / bytes);
    // By half or double at most: one odd read says little.
    window_us_ = std::clamp(std::clamp(fitting, window_us_ / 2, window_us_ * 2), kShortestUs, kLongestUs);
    return window_us_;
  }

  /// For a connection that was made.
  void connected(bool by_unix_socket) {
    bytes_wanted_ = by_unix_socket ? kBytesWantedUnix : kBytesWanted;
    reset();
  }

  /// Reading was paused, or the connection lost: what gathers now says nothing about the stream's rate.
  void reset() { window_us_ = 0; }

 private:
  std::size_t bytes_wanted_ = kBytesWanted;
  std::int64_t window_us_ = 0;
};

}  // namespace walstorm::consumer
