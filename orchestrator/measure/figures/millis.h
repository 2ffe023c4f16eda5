#pragma once

#include <fmt/format.h>
#include <string>

namespace walstorm::measure {

/// "0.85 ms", "12.3 ms", "1660 ms": three digits, and no exponent of a long time.
[[nodiscard]] inline std::string millis(double ms) {
  return ms >= 100 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.3g} ms", ms);
}

}  // namespace walstorm::measure
