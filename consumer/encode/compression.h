#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proto/control.pb.h"

namespace walstorm::consumer {

/// Compresses a sink's blocks, each into one whole frame of its format, as HTTP's Content-Encoding has them:
/// lz4 (the frame format, not bare blocks), zstd, gzip. At a fast level of each:
/// blocks are made and read once, by machines that wait for them.
///
/// The contexts are kept from block to block, and the caller keeps the room: once both have grown to the
/// largest block, nothing is allocated.
class Compressor final {
 public:
  /// Throws Error{internal} when there is no memory for a context.
  explicit Compressor(proto::Compression compression);
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor();

  /// Returns `plain` compressed, in `room`, which grows and is never shrunk: its size says nothing. Without a
  /// compression it is `plain` itself. Throws Error{internal}, which names the library's reason.
  [[nodiscard]] std::string_view compress(std::string_view plain, std::string& room);

 private:
  struct Contexts;

  [[nodiscard]] std::size_t compress_lz4(std::string_view plain, std::string& room);
  [[nodiscard]] std::size_t compress_zstd(std::string_view plain, std::string& room);
  [[nodiscard]] std::size_t compress_gzip(std::string_view plain, std::string& room);

  proto::Compression compression_;
  std::unique_ptr<Contexts> contexts_;  // of the libraries, whose headers stay in compression.cpp
};

}  // namespace walstorm::consumer
