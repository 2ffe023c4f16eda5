#pragma once

#include <functional>

#include "consumer/batch.h"

namespace walstorm::consumer {

/// Where batches are landed.
class Sink {
 public:
  using Done = std::function<void()>;

  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Lands `batch`, which stays where it is until `done` is called: once, from the loop and never from within
  /// submit, when the batch is safe. How many may be under way at once is the caller's affair. A batch that
  /// cannot be landed ends the process with an Error thrown on the loop.
  virtual void submit(const Batch& batch, Done done) = 0;
};

}  // namespace walstorm::consumer
