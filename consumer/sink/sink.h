#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "consumer/batch/batch.h"
#include "consumer/batch/landing.h"

namespace walstorm::consumer {

/// Where batches are landed. Only the sink knows in which form: it makes the blocks that it is given back.
class Sink {
 public:
  using Done = std::function<void(const Landing&)>;

  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// An empty block, for any number of batches one after the other.
  [[nodiscard]] virtual std::unique_ptr<Block> make_block() const = 0;

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
