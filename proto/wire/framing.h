#pragma once

#include <cstddef>
#include <google/protobuf/message_lite.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace walstorm::wire {

/// The largest frame either side accepts. A frame holds counters and buckets, so a larger one is a broken
/// stream.
inline constexpr std::size_t kFrameBytesMax = 4U << 20;

/// Appends `message` as one frame, a varint length and then the message, to `out`.
void append_frame(const google::protobuf::MessageLite& message, std::string& out);

/// Cuts a byte stream into frames.
class FrameDecoder final {
 public:
  /// Takes in bytes as they came from the pipe.
  void feed(std::string_view bytes);

  /// The next whole frame's message bytes, valid until the next call of feed or next; nullopt when more is
  /// needed. Throws Error{protocol} for a length that is no varint or beyond kFrameBytesMax.
  [[nodiscard]] std::optional<std::string_view> next();

  /// Bytes of a frame that has begun but not ended: not 0 at end of file means the peer died in mid-frame.
  [[nodiscard]] std::size_t pending_bytes() const { return buffer_.size() - consumed_; }

 private:
  std::string buffer_;
  std::size_t consumed_ = 0;
};

}  // namespace walstorm::wire
