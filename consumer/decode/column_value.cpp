#include "consumer/decode/column_value.h"

#include <bit>
#include <chrono>
#include <limits>

#include "proto/wire/clock.h"

namespace walstorm::consumer {
namespace {

/// Takes text apart from the front; every step says whether it was there.
class TextScanner final {
 public:
  explicit TextScanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// Digits only: no sign, which from_chars would take.
  [[nodiscard]] bool digits(int& number) {
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return false;
    const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return true;
  }

  /// Up to six digits of a fraction, as microseconds.
  [[nodiscard]] bool fraction_us(int& us) {
    const std::size_t before = rest_.size();
    if (!digits(us)) return false;
    const std::size_t count = before - rest_.size();
    if (count > 6) return false;
    for (std::size_t i = count; i < 6; ++i) us *= 10;
    return true;
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// "+02", "-03:30", "+05:53:28": what the zone is ahead of UTC, in seconds.
bool scan_zone(TextScanner& in, int& ahead_sec) {
  const bool behind = in.literal("-");
  if (!behind && !in.literal("+")) return false;
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!in.digits(hours)) return false;
  if (in.literal(":") && !in.digits(minutes)) return false;
  if (in.literal(":") && !in.digits(seconds)) return false;
  ahead_sec = (hours * 60 + minutes) * 60 + seconds;
  if (behind) ahead_sec = -ahead_sec;
  return true;
}

std::int64_t floor_to_ms(std::int64_t us) {
  return us >= 0 ? us / 1000 : -((-us + 999) / 1000);
}

std::optional<std::int64_t> read_timestamp_text(std::string_view text) {
  TextScanner in(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction_us = 0, ahead_sec = 0;
  if (!in.digits(year) || !in.literal("-") || !in.digits(month) || !in.literal("-") || !in.digits(day) ||
      !in.literal(" ") || !in.digits(hour) || !in.literal(":") || !in.digits(minute) || !in.literal(":") ||
      !in.digits(second)) {
    return std::nullopt;
  }
  if (in.literal(".") && !in.fraction_us(fraction_us)) return std::nullopt;
  if (!scan_zone(in, ahead_sec)) return std::nullopt;
  if (in.literal(" BC")) year = 1 - year;
  if (!in.at_end() || year > static_cast<int>(std::chrono::year::max())) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - ahead_sec;
  return floor_to_ms(seconds * 1'000'000 + fraction_us);
}

/// array_send: dimensions, "has nulls", element type, then per dimension its size and lower bound, then per
/// element its length (-1: NULL) and bytes.
bool read_array_binary(std::string_view bytes, TextElements& elements) {
  ByteReader in(bytes);
  if (in.remaining() < 12) return false;
  const auto dimensions = in.number<std::int32_t>();
  (void)in.number<std::int32_t>();
  (void)in.number<std::int32_t>();
  if (dimensions == 0) return in.remaining() == 0;
  if (dimensions != 1 || in.remaining() < 8) return false;
  const auto count = in.number<std::int32_t>();
  (void)in.number<std::int32_t>();
  for (std::int32_t i = 0; i < count; ++i) {
    if (in.remaining() < 4) return false;
    const auto length = in.number<std::int32_t>();
    if (length < 0) {
      elements.emplace_back(std::nullopt);
      continue;
    }
    if (in.remaining() < static_cast<std::size_t>(length)) return false;
    elements.emplace_back(in.bytes(static_cast<std::size_t>(length)));
  }
  return in.remaining() == 0;
}

/// A quoted element, `at` behind its opening quote; leaves `at` behind the closing one.
bool read_quoted(std::string_view text, std::size_t& at, TextElements& elements, std::string& unescaped) {
  const std::size_t begin = unescaped.size();
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && ++at == text.size()) return false;
    unescaped.push_back(text[at]);
  }
  if (at == text.size()) return false;
  ++at;
  elements.emplace_back(std::string_view(unescaped).substr(begin));
  return true;
}

/// array_out: {a,"b \"c\"",NULL}; quotes around whatever could be mistaken for something else.
bool read_array_text(std::string_view text, TextElements& elements, std::string& unescaped) {
  unescaped.reserve(text.size());  // so that it never moves under the elements
  if (text.starts_with('[')) text.remove_prefix(std::min(text.find('=') + 1, text.size()));  // [2:3]={a,b}
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return false;
  if (text.size() == 2) return true;
  const std::size_t end = text.size() - 1;
  for (std::size_t at = 1;; ++at) {
    if (text[at] == '{') return false;  // a second dimension
    if (text[at] == '"') {
      if (!read_quoted(text, ++at, elements, unescaped)) return false;
    } else {
      const std::size_t begin = at;
      at = std::min(text.find(',', at), end);
      const std::string_view element = text.substr(begin, at - begin);
      if (element.empty()) return false;
      elements.emplace_back(element == "NULL" ? std::nullopt : std::optional(element));
    }
    if (at == end) return true;
    if (at > end || text[at] != ',') return false;
  }
}

}  // namespace

std::optional<double> read_double(const Value& value) {
  if (value.kind == ValueKind::binary) {
    if (value.bytes.size() != sizeof(double)) return std::nullopt;
    return std::bit_cast<double>(load_big_endian<std::int64_t>(value.bytes.data()));
  }
  double number = 0;
  const char* const end = value.bytes.data() + value.bytes.size();
  const auto [stop, error] = std::from_chars(value.bytes.data(), end, number);  // takes NaN and Infinity
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<bool> read_bool(const Value& value) {
  if (value.bytes.size() != 1) return std::nullopt;
  const char c = value.bytes.front();
  const char yes = value.kind == ValueKind::binary ? '\1' : 't';
  const char no = value.kind == ValueKind::binary ? '\0' : 'f';
  if (c != yes && c != no) return std::nullopt;
  return c == yes;
}

std::optional<std::int64_t> read_timestamp_ms(const Value& value) {
  if (value.kind == ValueKind::text) return read_timestamp_text(value.bytes);
  if (value.bytes.size() != sizeof(std::int64_t)) return std::nullopt;
  const auto since_2000_us = load_big_endian<std::int64_t>(value.bytes.data());
  using Limits = std::numeric_limits<std::int64_t>;
  if (since_2000_us == Limits::max() || since_2000_us == Limits::min()) return std::nullopt;  // +-infinity
  if (since_2000_us > Limits::max() - wire::kPostgresEpochUnixUs) return std::nullopt;
  return floor_to_ms(since_2000_us + wire::kPostgresEpochUnixUs);
}

bool read_text_array(const Value& value, TextElements& elements, std::string& unescaped) {
  elements.clear();
  unescaped.clear();
  return value.kind == ValueKind::binary ? read_array_binary(value.bytes, elements)
                                         : read_array_text(value.bytes, elements, unescaped);
}

}  // namespace walstorm::consumer
