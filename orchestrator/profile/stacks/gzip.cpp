#include "orchestrator/profile/stacks/gzip.h"

#include <array>
#include <memory>
#include <zlib.h>

#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

/// 15 is zlib's largest window; 16 more ask for gzip's head and tail (zlib.h, deflateInit2, inflateInit2).
constexpr int kGzipWindow = 15 + 16;
constexpr int kMemoryLevel = 8;
constexpr std::size_t kChunkBytes = 1U << 16U;

Bytef* input(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib's next_in is not const
}

[[noreturn]] void fail_gzip(const char* what) {
  throw wire::Error(wire::ErrorKind::data, what);
}

}  // namespace

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    fail_gzip("pack by gzip: no memory");
  }
  std::string packed(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (result != Z_STREAM_END) fail_gzip("pack by gzip: it does not end");
  return packed;
}

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

std::string gunzip(std::string_view packed, std::size_t bytes_max) {
  z_stream stream{};
  if (::inflateInit2(&stream, kGzipWindow) != Z_OK) fail_gzip("unpack gzip: no memory");
  const std::unique_ptr<z_stream, decltype(&::inflateEnd)> ends(&stream, &::inflateEnd);
  stream.next_in = input(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string bytes;
  std::array<char, kChunkBytes> chunk{};
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    result = ::inflate(&stream, Z_NO_FLUSH);
    bytes.append(chunk.data(), chunk.size() - stream.avail_out);
    if (bytes.size() > bytes_max) fail_gzip("unpack gzip: more than a profile can be");
  }
  if (result != Z_STREAM_END) fail_gzip("unpack gzip: it is damaged");
  return bytes;
}

}  // namespace walstorm::profile
