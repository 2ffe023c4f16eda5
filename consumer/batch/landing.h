#pragma once

#include <cstdint>
#include <string>

namespace walstorm::consumer {

/// How one attempt to land a batch ended.
struct Landing {
  /// What came back instead, when the same batch is worth another attempt; empty: the batch is safe.
  std::string error;
  std::uint64_t encoded_bytes = 0;  ///< of the block
  std::uint64_t wire_bytes = 0;     ///< of the block as it was sent: compressed
};

}  // namespace walstorm::consumer
