#pragma once

#include <optional>
#include <string>

/// Values as they are written on the command line.
namespace walstorm {

/// "90", "90s", "1.5m", "2h" -> seconds.
[[nodiscard]] std::optional<double> seconds_in(const std::string& text);

/// A number that is the whole text.
[[nodiscard]] std::optional<double> number_in(const std::string& text);

/// "5%" or "0.05" -> 0.05.
[[nodiscard]] std::optional<double> share_in(const std::string& text);

}  // namespace walstorm
