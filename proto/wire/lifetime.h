#pragma once

#include <memory>

namespace walstorm::wire {

/// For an object whose handlers the loop may still hold when it is gone.
///
/// Cancelling takes back a wait, not a handler that is queued already: that one runs later, and without an
/// error. So it captures a token, and does nothing once the token has expired. Handlers and owner are of one
/// thread.
class Lifetime final {
 public:
  Lifetime() = default;
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  [[nodiscard]] std::weak_ptr<const void> token() const { return owner_; }

 private:
  std::shared_ptr<const void> owner_ = std::make_shared<const char>();
};

}  // namespace walstorm::wire
