#include "producer/rows/payload.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "producer/rows/append.h"
#include "producer/rows/random.h"

namespace walstorm::producer {
namespace {

constexpr std::string_view kEmpty = "{}";
constexpr std::string_view kHead = R"({"data":")";
constexpr std::string_view kTail = R"("})";
constexpr std::size_t kFrame = kHead.size() + kTail.size();
constexpr std::size_t kStretch = 64;
constexpr char kRepeated = 'a';
constexpr unsigned kShareBits = 16;

constexpr std::uint64_t kEachByte = 0x0101'0101'0101'0101U;

/// Eight bytes, each of 64 printable characters '#' to 'c' without the backslash: 6 random bits a byte, all
/// bytes at once. No byte carries into the next, since none passes 0x80 + 6.
std::uint64_t printable(std::uint64_t random) {
  const std::uint64_t from_hash = (random & (0x3F * kEachByte)) + '#' * kEachByte;
  const std::uint64_t backslash_or_above = ((from_hash + (0x80 - '\\') * kEachByte) >> 7) & kEachByte;
  return from_hash + backslash_or_above;
}

}  // namespace

Payload::Payload(std::uint64_t bytes_mean, double entropy)
    : bytes_mean_(bytes_mean),
      random_share_(static_cast<std::uint32_t>(std::lround(entropy * (1U << kShareBits)))) {}

std::size_t Payload::room() const {
  return std::max(kFrame, bytes_mean_ + bytes_mean_ / 2) + kStretch;
}

char* Payload::write(std::uint64_t key, char* out) const {
  const std::uint64_t half = bytes_mean_ / 2;
  const std::uint64_t bytes = bytes_mean_ - half + Random(key).next_below(2 * half + 1);
  if (bytes <= kFrame) return append(kEmpty, out);
  out = write_body(key, bytes - kFrame, append(kHead, out));
  return append(kTail, out);
}

char* Payload::write_body(std::uint64_t key, std::size_t bytes, char* out) const {
  std::uint64_t counter = key;
  std::uint32_t owed = 0;  // random characters, in 1/65536, so that shares add up over the stretches
  while (bytes > 0) {
    const std::size_t stretch = std::min(bytes, kStretch);
    owed += random_share_ * static_cast<std::uint32_t>(stretch);
    const std::size_t random_bytes = std::min<std::size_t>(owed >> kShareBits, stretch);
    owed &= (1U << kShareBits) - 1;
    for (std::size_t at = 0; at < random_bytes; at += sizeof(std::uint64_t)) {
      const std::uint64_t word = printable(mix64(counter += kGolden));
      std::memcpy(out + at, &word, sizeof word);
    }
    std::memset(out + random_bytes, kRepeated, stretch - random_bytes);
    out += stretch;
    bytes -= stretch;
  }
  return out;
}

}  // namespace walstorm::producer
