#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Figures as people read them: always with their unit, three digits or so, "–" where nothing was measured.
/// They are shortened from rounded() ones, so that a report that is made anew of metrics.json says the same.
namespace walstorm::text {

/// As exact as a figure is written: six significant digits, and thousandths where those are finer. So a time
/// in milliseconds keeps its microseconds however long it is, and no figure has the tail of a binary fraction
/// (0.036000000000000004). Figures are judged as they were measured; only what is written is rounded.
[[nodiscard]] double rounded(double figure);

/// "1,234,567".
[[nodiscard]] std::string count_text(std::uint64_t count);
[[nodiscard]] std::string count_text(std::optional<std::uint64_t> count);
/// "5,003/s"; below 100 with a decimal.
[[nodiscard]] std::string rate_text(std::optional<double> per_sec);
/// Milliseconds as "850 µs", "1.2 ms", "143 ms" or "3.4 s".
[[nodiscard]] std::string ms_text(std::optional<double> ms);
/// Seconds as "0.2 s", "42 s", "2 min 5 s".
[[nodiscard]] std::string sec_text(std::optional<double> sec);
/// "120 kB", "1.2 MB": powers of 1000.
[[nodiscard]] std::string bytes_text(std::optional<std::uint64_t> bytes);
/// A share of 1 as "99.8 %".
[[nodiscard]] std::string percent_text(std::optional<double> share);
/// " ±8 %" of what lies between `low` and `high`: the wider side, as a share of it. Empty where that is not
/// known.
[[nodiscard]] std::string spread_text(std::optional<double> value, std::optional<double> low,
                                      std::optional<double> high);
/// A number whose unit is not known: "1,234,567", "35.25", "0.00123".
[[nodiscard]] std::string number_text(std::optional<double> value);
/// "43.1 µs".
[[nodiscard]] std::string micros_text(std::optional<double> us);

/// "2026-01-31T12:00:00.123Z".
[[nodiscard]] std::string iso_time(std::int64_t unix_us);

/// Characters on the screen: code points, so names and units need not be ASCII.
[[nodiscard]] std::size_t display_width(std::string_view utf8);
/// At most `width` of them, the last one "…" when some had to go.
[[nodiscard]] std::string clipped(std::string_view utf8, std::size_t width);

/// Rows under a header, as aligned lines: the first column to the left, the others to the right.
/// Every row has as many cells as the header.
[[nodiscard]] std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows,
                                               std::size_t gap);

}  // namespace walstorm::text
