#pragma once

#include <optional>
#include <string>

namespace walstorm::text {

/// What a figure counts.
enum class Unit { count, per_sec, ms, sec, micros, bytes, share };

/// "12.1 ms", "5,003/s", "99.8 %".
[[nodiscard]] std::string figure_text(Unit unit, std::optional<double> value);

}  // namespace walstorm::text
