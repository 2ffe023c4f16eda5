#include "producer/rows/payload.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <vector>
#include <zlib.h>

#include "producer/rows/random.h"

namespace walstorm::producer {
namespace {

std::string text_of(const Payload& payload, std::uint64_t key) {
  std::vector<char> room(payload.room());
  return {room.data(), payload.write(key, room.data())};
}

/// Compressed size over size, of many payloads together.
double compressed_share(std::uint64_t bytes_mean, double entropy) {
  const Payload payload(bytes_mean, entropy);
  std::string all;
  Random keys(7);
  for (int i = 0; i < 200; ++i) all += text_of(payload, keys.next());
  uLongf size = compressBound(all.size());
  std::vector<Bytef> out(size);
  EXPECT_EQ(compress2(out.data(), &size, reinterpret_cast<const Bytef*>(all.data()), all.size(), 6), Z_OK);
  return static_cast<double>(size) / static_cast<double>(all.size());
}

TEST(Payload, HasTheWantedSizeOnAverageAndStaysWithinHalfOfIt) {
  for (const std::uint64_t mean : {64U, 512U, 1024U, 10'000U}) {
    const Payload payload(mean, 0.5);
    Random keys(1);
    double sum = 0;
    constexpr int kTexts = 20'000;
    for (int i = 0; i < kTexts; ++i) {
      const std::string text = text_of(payload, keys.next());
      ASSERT_GE(text.size(), mean / 2);
      ASSERT_LE(text.size(), mean + mean / 2);
      sum += static_cast<double>(text.size());
    }
    EXPECT_NEAR(sum / kTexts, static_cast<double>(mean), static_cast<double>(mean) * 0.01);
  }
}

TEST(Payload, OfSizeZeroIsAnEmptyObject) {
  EXPECT_EQ(text_of(Payload(0, 0.5), 1), "{}");
}

TEST(Payload, IsJsonWithoutEscapesAtAnyEntropy) {
  for (const double entropy : {0.0, 0.3, 0.5, 1.0}) {
    const std::string text = text_of(Payload(4000, entropy), 99);
    ASSERT_TRUE(text.starts_with(R"({"data":")"));
    ASSERT_TRUE(text.ends_with(R"("})"));
    const std::string body = text.substr(9, text.size() - 11);
    for (const char c : body) {
      ASSERT_GE(c, ' ');
      ASSERT_LT(c, 0x7F);
      ASSERT_NE(c, '"');
      ASSERT_NE(c, '\\');
    }
  }
}

TEST(Payload, IsTheSameForTheSameKeyAndAnotherForAnother) {
  const Payload payload(1000, 0.5);
  EXPECT_EQ(text_of(payload, 5), text_of(payload, 5));
  EXPECT_NE(text_of(payload, 5), text_of(payload, 6));
}

TEST(Payload, WithoutEntropyIsOneRepeatedLetter) {
  const std::string text = text_of(Payload(1000, 0), 5);
  EXPECT_EQ(text.find_first_not_of('a', 9), text.size() - 2);
  EXPECT_LT(compressed_share(1024, 0), 0.02);
}

TEST(Payload, HasTheWantedShareOfRandomCharacters) {
  for (const double entropy : {0.1, 0.25, 0.5, 0.9}) {
    std::size_t other = 0;
    std::size_t bytes = 0;
    Random keys(3);
    for (int i = 0; i < 200; ++i) {
      const std::string text = text_of(Payload(1024, entropy), keys.next());
      for (std::size_t at = 9; at < text.size() - 2; ++at) other += text[at] != 'a' ? 1 : 0;
      bytes += text.size() - 11;
    }
    // One random character in 64 is the repeated letter.
    EXPECT_NEAR(static_cast<double>(other) / static_cast<double>(bytes), entropy * 63 / 64, 0.01);
  }
}

TEST(Payload, CompressesAsFarAsItsEntropyLeaves) {
  // A random character holds 6 bits of 8, so random text shrinks to three quarters and no further.
  const double full = compressed_share(1024, 1);
  EXPECT_GT(full, 0.74);
  EXPECT_NEAR(compressed_share(1024, 0.5), full / 2, 0.08);
  EXPECT_NEAR(compressed_share(1024, 0.25), full / 4, 0.08);
}

}  // namespace
}  // namespace walstorm::producer
