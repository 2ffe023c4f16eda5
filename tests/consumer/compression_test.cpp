#include "consumer/encode/compression.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <random>
#include <string>
#include <vector>
#include <zlib.h>
#include <zstd.h>

#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

// Each format's own decoder, given no more than the frame: what a server does with a request's body.

std::string from_lz4(std::string_view frame) {
  LZ4F_dctx* context = nullptr;
  EXPECT_EQ(LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)), 0U);
  std::string plain;
  std::vector<char> piece(100'000);
  std::size_t more = 1;
  while (more != 0 && !frame.empty()) {
    std::size_t out = piece.size();
    std::size_t in = frame.size();
    more = LZ4F_decompress(context, piece.data(), &out, frame.data(), &in, nullptr);
    if (LZ4F_isError(more) != 0) {
      ADD_FAILURE() << LZ4F_getErrorName(more);
      break;
    }
    plain.append(piece.data(), out);
    frame.remove_prefix(in);
  }
  EXPECT_EQ(more, 0U) << "the frame has no end";
  EXPECT_TRUE(frame.empty()) << "bytes behind the frame's end";
  LZ4F_freeDecompressionContext(context);
  return plain;
}

std::string from_zstd(std::string_view frame) {
  const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
    ADD_FAILURE() << "no zstd frame that says its size";
    return {};
  }
  std::string plain(size, '\0');
  EXPECT_EQ(ZSTD_decompress(plain.data(), plain.size(), frame.data(), frame.size()), size);
  EXPECT_EQ(ZSTD_findFrameCompressedSize(frame.data(), frame.size()), frame.size());
  return plain;
}

std::string from_gzip(std::string_view frame) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);  // gzip's header and no other
  std::string input(frame);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::string plain;
  std::vector<char> piece(100'000);
  int answer = Z_OK;
  while (answer == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    answer = inflate(&stream, Z_NO_FLUSH);
    plain.append(piece.data(), piece.size() - stream.avail_out);
  }
  EXPECT_EQ(answer, Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U) << "bytes behind the frame's end";
  inflateEnd(&stream);
  return plain;
}

std::string decompress(proto::Compression compression, std::string_view frame) {
  switch (compression) {
    case proto::COMPRESSION_LZ4:
      return from_lz4(frame);
    case proto::COMPRESSION_ZSTD:
      return from_zstd(frame);
    case proto::COMPRESSION_GZIP:
      return from_gzip(frame);
    default:
      return std::string(frame);
  }
}

/// Bytes of which the share `noise` is random.
std::string mixed_bytes(std::size_t size, double noise, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, 'a');
  for (char& byte : bytes) {
    if (static_cast<double>(random() % 1000) < noise * 1000) byte = static_cast<char>(random());
  }
  return bytes;
}

class Compression : public testing::TestWithParam<proto::Compression> {};

TEST_P(Compression, RoundTripsThroughTheFormatsOwnDecoder) {
  Compressor compressor(GetParam());
  std::string room;
  for (const std::size_t size : {0UL, 1UL, 100UL, 65'536UL, 65'537UL, 3'000'000UL, 5UL}) {
    for (const double noise : {0.0, 0.5, 1.0}) {
      const std::string plain = mixed_bytes(size, noise, size);
      EXPECT_TRUE(decompress(GetParam(), compressor.compress(plain, room)) == plain)
          << size << " bytes, noise " << noise;
    }
  }
}

TEST_P(Compression, MakesWhatRepeatsItselfSmaller) {
  Compressor compressor(GetParam());
  std::string room;
  const std::string plain = mixed_bytes(100'000, 0, 1);
  if (GetParam() == proto::COMPRESSION_NONE) {
    EXPECT_EQ(compressor.compress(plain, room).data(), plain.data());  // not even copied
  } else {
    EXPECT_LT(compressor.compress(plain, room).size(), 1'000U);
  }
}

TEST_P(Compression, TheSameBlockAgainIsTheSameBytesAgain) {
  // A retried insert must be identical to the first; what was compressed in between must not show.
  Compressor compressor(GetParam());
  std::string room;
  const std::string plain = mixed_bytes(200'000, 0.5, 1);
  const std::string first(compressor.compress(plain, room));
  (void)compressor.compress(mixed_bytes(300'000, 0.2, 2), room);
  EXPECT_TRUE(compressor.compress(plain, room) == first);
}

TEST_P(Compression, KeepsItsRoomFromBlockToBlock) {
  Compressor compressor(GetParam());
  std::string room;
  (void)compressor.compress(mixed_bytes(1'000'000, 1, 1), room);
  const char* const data = room.data();
  const std::size_t capacity = room.capacity();
  for (std::uint64_t seed = 2; seed < 10; ++seed) {
    (void)compressor.compress(mixed_bytes(seed * 100'000, 0.5, seed), room);
  }
  EXPECT_EQ(room.data(), data);
  EXPECT_EQ(room.capacity(), capacity);
}

INSTANTIATE_TEST_SUITE_P(Of, Compression,
                         testing::Values(proto::COMPRESSION_NONE, proto::COMPRESSION_LZ4,
                                         proto::COMPRESSION_ZSTD, proto::COMPRESSION_GZIP),
                         [](const auto& each) { return proto::Compression_Name(each.param); });

TEST(Compressor, RefusesACompressionThatItDoesNotKnow) {
  EXPECT_THROW(Compressor(static_cast<proto::Compression>(99)), wire::Error);
}

}  // namespace
}  // namespace walstorm::consumer
