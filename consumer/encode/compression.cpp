#include "consumer/encode/compression.h"

#include <algorithm>
#include <fmt/format.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

using wire::Error;
using wire::ErrorKind;

/// Below 0 lz4 looks for matches in fewer places: a third less CPU than at 0 for 5 % more bytes, measured on
/// blocks of 1 KB rows; beyond -2 the bytes grow and the CPU hardly falls.
constexpr int kLz4Level = -2;
constexpr int kZstdLevel = 1;
constexpr int kGzipLevel = Z_BEST_SPEED;
constexpr int kGzipWindow = 15 + 16;  // 32 KB, and gzip's header in place of zlib's
constexpr int kGzipMemory = 8;        // zlib's default
/// What deflate is given at a time: its counters are 32 bits wide.
constexpr std::size_t kGzipPieceBytes = std::size_t{1} << 30;

[[noreturn]] void failed(const char* library, std::size_t bytes, const char* reason) {
  throw Error(ErrorKind::internal, fmt::format("compress {} bytes with {}: {}", bytes, library, reason));
}

void make_room(std::string& room, std::size_t bytes) {
  if (room.size() < bytes) room.resize(bytes);
}

}  // namespace

struct Compressor::Contexts {
  struct FreeLz4 {
    void operator()(LZ4F_cctx* context) const { LZ4F_freeCompressionContext(context); }
  };
  struct FreeZstd {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };

  ~Contexts() {
    if (gzip_ready) deflateEnd(&gzip);
  }

  std::unique_ptr<LZ4F_cctx, FreeLz4> lz4;
  std::unique_ptr<ZSTD_CCtx, FreeZstd> zstd;
  z_stream gzip{};
  bool gzip_ready = false;
};

Compressor::Compressor(proto::Compression compression)
    : compression_(compression), contexts_(std::make_unique<Contexts>()) {
  switch (compression) {
    case proto::COMPRESSION_NONE:
      return;
    case proto::COMPRESSION_LZ4: {
      LZ4F_cctx* context = nullptr;
      const std::size_t made = LZ4F_createCompressionContext(&context, LZ4F_VERSION);
      contexts_->lz4.reset(context);
      if (LZ4F_isError(made) != 0) failed("lz4", 0, LZ4F_getErrorName(made));
      return;
    }
    case proto::COMPRESSION_ZSTD:
      contexts_->zstd.reset(ZSTD_createCCtx());
      if (!contexts_->zstd) failed("zstd", 0, "no memory for its context");
      ZSTD_CCtx_setParameter(contexts_->zstd.get(), ZSTD_c_compressionLevel, kZstdLevel);
      return;
    case proto::COMPRESSION_GZIP:
      if (deflateInit2(&contexts_->gzip, kGzipLevel, Z_DEFLATED, kGzipWindow, kGzipMemory,
                       Z_DEFAULT_STRATEGY) != Z_OK) {
        failed("gzip", 0, "no memory for its context");
      }
      contexts_->gzip_ready = true;
      return;
    default:
      throw Error(ErrorKind::protocol, fmt::format("Setup asks for compression {}, which is unknown",
                                                   static_cast<int>(compression)));
  }
}

Compressor::~Compressor() = default;

std::string_view Compressor::compress(std::string_view plain, std::string& room) {
  std::size_t size = 0;
  switch (compression_) {
    case proto::COMPRESSION_LZ4:
      size = compress_lz4(plain, room);
      break;
    case proto::COMPRESSION_ZSTD:
      size = compress_zstd(plain, room);
      break;
    case proto::COMPRESSION_GZIP:
      size = compress_gzip(plain, room);
      break;
    default:
      return plain;
  }
  return {room.data(), size};
}

std::size_t Compressor::compress_lz4(std::string_view plain, std::string& room) {
  LZ4F_preferences_t preferences{};
  preferences.compressionLevel = kLz4Level;
  preferences.frameInfo.contentSize = plain.size();
  preferences.frameInfo.blockSizeID = LZ4F_max4MB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.autoFlush = 1;  // all comes in one piece: no copy for the next one to find
  make_room(room, LZ4F_compressFrameBound(plain.size(), &preferences));
  LZ4F_cctx* const context = contexts_->lz4.get();
  std::size_t size = 0;
  const auto add = [&](std::size_t written) {
    if (LZ4F_isError(written) != 0) failed("lz4", plain.size(), LZ4F_getErrorName(written));
    size += written;
  };
  add(LZ4F_compressBegin(context, room.data(), room.size(), &preferences));
  add(LZ4F_compressUpdate(context, room.data() + size, room.size() - size, plain.data(), plain.size(),
                          nullptr));
  add(LZ4F_compressEnd(context, room.data() + size, room.size() - size, nullptr));
  return size;
}

std::size_t Compressor::compress_zstd(std::string_view plain, std::string& room) {
  make_room(room, ZSTD_compressBound(plain.size()));
  const std::size_t size =
      ZSTD_compress2(contexts_->zstd.get(), room.data(), room.size(), plain.data(), plain.size());
  if (ZSTD_isError(size) != 0) failed("zstd", plain.size(), ZSTD_getErrorName(size));
  return size;
}

std::size_t Compressor::compress_gzip(std::string_view plain, std::string& room) {
  z_stream& stream = contexts_->gzip;
  deflateReset(&stream);
  make_room(room, deflateBound(&stream, plain.size()));
  // zlib's interface is older than const; it does not write to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.next_out = reinterpret_cast<Bytef*>(room.data());
  std::size_t in_left = plain.size();
  std::size_t out_left = room.size();
  int answer = Z_OK;
  while (answer == Z_OK) {
    const auto in = static_cast<uInt>(std::min(in_left, kGzipPieceBytes));
    const auto out = static_cast<uInt>(std::min(out_left, kGzipPieceBytes));
    stream.avail_in = in;
    stream.avail_out = out;
    answer = deflate(&stream, in == in_left ? Z_FINISH : Z_NO_FLUSH);
    in_left -= in - stream.avail_in;
    out_left -= out - stream.avail_out;
  }
  if (answer != Z_STREAM_END) failed("gzip", plain.size(), zError(answer));
  return room.size() - out_left;
}

}  // namespace walstorm::consumer
