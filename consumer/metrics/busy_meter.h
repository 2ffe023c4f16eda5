#pragma once

#include <cstdint>

#include "proto/wire/clock.h"

namespace walstorm::consumer {

/// The time that the loop has worked and not waited: each handler of this folder holds a Scope. Two clock
/// readings per handler. What the HTTP connection does between them (later writes of a large body,
/// encryption) is not in it, only in the process's CPU.
class BusyMeter final {
 public:
  class Scope final {
   public:
    explicit Scope(BusyMeter& meter) : meter_(meter), began_us_(meter.clock_.steady_us()) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { meter_.busy_us_ += meter_.clock_.steady_us() - began_us_; }

   private:
    BusyMeter& meter_;
    std::int64_t began_us_;
  };

  /// `clock` outlives the meter.
  explicit BusyMeter(const wire::Clock& clock) : clock_(clock) {}

  [[nodiscard]] std::int64_t busy_us() const { return busy_us_; }

 private:
  const wire::Clock& clock_;
  std::int64_t busy_us_ = 0;
};

}  // namespace walstorm::consumer
