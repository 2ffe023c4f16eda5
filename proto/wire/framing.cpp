#include "proto/wire/framing.h"

#include <cstdint>
#include <fmt/format.h>

#include "proto/wire/error.h"

namespace walstorm::wire {

void append_frame(const google::protobuf::MessageLite& message, std::string& out) {
  auto size = static_cast<std::uint64_t>(message.ByteSizeLong());
  while (size >= 0x80) {
    out.push_back(static_cast<char>(size | 0x80));
    size >>= 7;
  }
  out.push_back(static_cast<char>(size));
  if (!message.AppendToString(&out)) throw Error(ErrorKind::internal, "a frame could not be serialised");
}

void FrameDecoder::feed(std::string_view bytes) {
  buffer_.erase(0, consumed_);
  consumed_ = 0;
  buffer_.append(bytes);
}

std::optional<std::string_view> FrameDecoder::next() {
  std::uint64_t size = 0;
  std::size_t at = consumed_;
  for (unsigned shift = 0;; shift += 7) {
    if (at == buffer_.size()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(buffer_[at++]);
    size |= std::uint64_t{byte & 0x7FU} << shift;
    if (size > kFrameBytesMax || shift > 28) {
      throw Error(ErrorKind::protocol, fmt::format("a frame's length is beyond {} bytes", kFrameBytesMax));
    }
    if ((byte & 0x80U) == 0) break;
  }
  if (buffer_.size() - at < size) return std::nullopt;
  consumed_ = at + size;
  return std::string_view(buffer_).substr(at, size);
}

}  // namespace walstorm::wire
