#pragma once

#include <cstddef>
#include <cstdint>

namespace walstorm::producer {

/// The payload column: a JSON object with one string, of a wanted average size and compressibility.
class Payload final {
 public:
  /// `bytes_mean`: average size of the whole text; sizes are uniform between half and one and a half times
  /// that, never below an object that is empty. `entropy`, 0 to 1: the share of random characters (printable,
  /// none that JSON escapes); the rest is one repeated letter, in stretches of at most 64 bytes.
  Payload(std::uint64_t bytes_mean, double entropy);

  /// Room that write() needs, a little more than the longest text.
  [[nodiscard]] std::size_t room() const;

  /// Writes the text that belongs to `key` at `out`; returns its end.
  char* write(std::uint64_t key, char* out) const;

 private:
  char* write_body(std::uint64_t key, std::size_t bytes, char* out) const;

  std::uint64_t bytes_mean_;
  std::uint32_t random_share_;  // in 1/65536
};

}  // namespace walstorm::producer
