#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "consumer/batch.h"

namespace walstorm::consumer {

/// How one attempt to land a batch ended.
struct Landing {
  /// What came back instead, when the same batch is worth another attempt; empty: the batch is safe.
  std::string error;
  std::uint64_t encoded_bytes = 0;  ///< of the block
  std::uint64_t wire_bytes = 0;     ///< of the block as it was sent: compressed
};

/// Where batches are landed.
class Sink {
 public:
  using Done = std::function<void(const Landing&)>;

  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Makes one attempt to land `batch`, which stays as it is and where it is until `done` is called: once,
  /// from the loop and never from within submit. How many are under way at once, and what follows a failed
  /// attempt, is the caller's affair; the same batch sent again is the same bytes again. An error that no
  /// further attempt can mend ends the process with an Error thrown on the loop.
  virtual void submit(const Batch& batch, Done done) = 0;

  /// Of memory that batches under way take up beside their blocks.
  [[nodiscard]] virtual std::uint64_t held_bytes() const { return 0; }

  /// The first phase begins.
  virtual void load_starts() {}
};

}  // namespace walstorm::consumer
