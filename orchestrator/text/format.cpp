#include "orchestrator/text/format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <fmt/format.h>

namespace walstorm::text {
namespace {

constexpr const char* kUnmeasured = "–";

bool starts_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

/// One decimal below 100, none above.
std::string short_number(double value) {
  return std::abs(value) < 99.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

}  // namespace

double rounded(double figure) {
  if (!std::isfinite(figure)) return figure;
  // From 100 on thousandths are at least six digits. The decimal is read back, which gives the double whose
  // shortest text it is.
  const std::string decimal =
      std::abs(figure) < 100 ? fmt::format("{:.6g}", figure) : fmt::format("{:.3f}", figure);
  double value = figure;
  std::from_chars(decimal.data(), decimal.data() + decimal.size(), value);
  return value;
}

std::string count_text(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string count_text(std::optional<std::uint64_t> count) {
  return count ? count_text(*count) : kUnmeasured;
}

std::string rate_text(std::optional<double> per_sec) {
  if (!per_sec) return kUnmeasured;
  per_sec = rounded(*per_sec);
  const bool small = *per_sec < 99.95 && *per_sec != std::round(*per_sec);
  if (small) return fmt::format("{:.1f}/s", *per_sec);
  return count_text(static_cast<std::uint64_t>(std::llround(std::max(0.0, *per_sec)))) + "/s";
}

std::string ms_text(std::optional<double> ms) {
  if (!ms) return kUnmeasured;
  ms = rounded(*ms);
  if (*ms == 0) return "0 ms";
  if (*ms < 0.9995) return fmt::format("{:.0f} µs", *ms * 1000);
  if (*ms < 999.5) return short_number(*ms) + " ms";
  return short_number(*ms / 1000) + " s";
}

std::string sec_text(std::optional<double> sec) {
  if (!sec) return kUnmeasured;
  sec = rounded(*sec);
  if (*sec > 0 && *sec < 0.095) return fmt::format("{:.0f} ms", std::max(1.0, *sec * 1000));
  if (*sec < 119.5) {
    const bool whole = *sec >= 9.95 || *sec == std::round(*sec);
    return whole ? fmt::format("{:.0f} s", *sec) : fmt::format("{:.1f} s", *sec);
  }
  const auto seconds = std::llround(*sec);
  const auto with = [](long long rest, const char* unit) {
    return rest == 0 ? std::string() : fmt::format(" {} {}", rest, unit);
  };
  if (seconds < 7200) return fmt::format("{} min{}", seconds / 60, with(seconds % 60, "s"));
  return fmt::format("{} h{}", seconds / 3600, with(seconds % 3600 / 60, "min"));
}

std::string bytes_text(std::optional<std::uint64_t> bytes) {
  if (!bytes) return kUnmeasured;
  if (*bytes < 1000) return fmt::format("{} B", *bytes);
  constexpr std::array<const char*, 4> kUnits{"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(*bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) value /= 1000, ++unit;
  return fmt::format("{} {}", short_number(value), kUnits[unit]);
}

std::string percent_text(std::optional<double> share) {
  return share ? fmt::format("{:.1f} %", rounded(*share) * 100) : kUnmeasured;
}

std::string spread_text(std::optional<double> value, std::optional<double> low, std::optional<double> high) {
  if (!value || !low || !high || *value == 0) return "";
  return fmt::format(" ±{:.0f} %", std::max(*high - *value, *value - *low) / std::abs(*value) * 100);
}

std::string number_text(std::optional<double> value) {
  if (!value) return kUnmeasured;
  value = rounded(*value);
  constexpr double kGroupedMax = 1e15;
  const double size = std::abs(*value);
  if (size < 999.95 || size >= kGroupedMax) return fmt::format("{:.4g}", *value);
  return (*value < 0 ? "-" : "") + count_text(static_cast<std::uint64_t>(std::llround(size)));
}

std::string micros_text(std::optional<double> us) {
  return us ? short_number(rounded(*us)) + " µs" : kUnmeasured;
}

std::string iso_time(std::int64_t unix_us) {
  const std::time_t seconds = unix_us / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, unix_us / 1000 % 1000);
}

std::size_t display_width(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), starts_character));
}

std::string clipped(std::string_view utf8, std::size_t width) {
  if (display_width(utf8) <= width) return std::string(utf8);
  if (width == 0) return {};
  std::size_t characters = 0;
  std::size_t end = 0;
  for (; end < utf8.size(); ++end) {
    if (starts_character(utf8[end]) && characters++ == width - 1) break;
  }
  return std::string(utf8.substr(0, end)) + "…";
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows, std::size_t gap) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - display_width(row[i]), ' ');
      if (i > 0) line.append(gap, ' ').append(padding);
      line += row[i];
      if (i == 0) line += padding;
    }
    lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
  }
  return lines;
}

}  // namespace walstorm::text
