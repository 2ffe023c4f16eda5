#pragma once

#include <cstdint>

namespace walstorm::producer {

/// 2^64 / golden ratio, odd: the step of a Weyl sequence.
inline constexpr std::uint64_t kGolden = 0x9E37'79B9'7F4A'7C15U;

/// A bijection of 64 bits that scatters neighbours: the finaliser of splitmix64 (Steele, Lea, Flood 2014,
/// with Stafford's "Mix13" constants).
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9U;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EBU;
  return x ^ (x >> 31);
}

/// `draw`, uniform over 32 bits, as a number below `bound`: a multiplication instead of a division.
[[nodiscard]] constexpr std::uint32_t below(std::uint32_t draw, std::uint32_t bound) {
  return static_cast<std::uint32_t>((std::uint64_t{draw} * bound) >> 32);
}

/// A seeded stream of random numbers (splitmix64): 8 bytes of state, the same on every machine.
class Random final {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next() { return mix64(state_ += kGolden); }

  /// Uniform in [0, bound). The bias of the multiplication is below bound / 2^64.
  [[nodiscard]] std::uint64_t next_below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((Wide{next()} * bound) >> 64);
  }

 private:
  std::uint64_t state_;
};

}  // namespace walstorm::producer
