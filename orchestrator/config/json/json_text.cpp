#include "orchestrator/config/json/json_text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace walstorm::config {
namespace {

/// Far more than a config needs, and little enough to walk a document by recursion.
constexpr std::size_t kDepthMax = 32;
/// Up to here a double holds every whole number.
constexpr double kWholeMax = 9007199254740992.0;

/// "line 3, column 5" of the byte at `offset`, both from 1; columns count characters, not bytes.
std::string place_of(const std::string& text, std::size_t offset) {
  const std::string_view before(text.data(), std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto column = 1 + std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start),
                                        before.end(), begins_character);
  return fmt::format("line {}, column {}", line, column);
}

/// The library's words without its prefix, and without the text it read last.
std::string reason_of(std::string what) {
  if (const auto start = what.find("while parsing"); start != std::string::npos) what.erase(0, start);
  if (const auto token = what.find("; last read: '"); token != std::string::npos) {
    const auto expected = what.rfind("; expected ");
    what.erase(token, expected == std::string::npos || expected < token ? expected : expected - token);
  }
  return what;
}

/// Builds the document; the library's own builder keeps the last of two equal keys without a word.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(const std::string& text) : text_(text) {}

  [[nodiscard]] ParsedJson take() && { return std::move(parsed_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    if (std::trunc(value) == value && std::abs(value) <= kWholeMax) {
      const auto whole = static_cast<std::int64_t>(value);
      return whole < 0 ? add(whole) : add(static_cast<std::uint64_t>(whole));
    }
    return add(value);
  }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }  // no such thing in a text
  bool start_object(std::size_t /*elements*/) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*elements*/) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    Level& level = levels_.back();
    level.key = value;
    if (!level.keys.insert(value).second) parsed_.given_twice.push_back(here());
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    constexpr int kNumberOverflow = 406;
    const std::string reason =
        error.id == kNumberOverflow ? "a number too large" : "not JSON: " + reason_of(error.what());
    return fail(place_of(text_, position == 0 ? 0 : position - 1) + ": " + reason);
  }

 private:
  struct Level {
    Json value;
    std::string key;  ///< the one that the next value belongs to
    std::set<std::string> keys;
  };

  bool fail(std::string error) {
    parsed_ = ParsedJson{nullptr, {}, std::move(error)};
    return false;
  }

  [[nodiscard]] Pointer here() const {
    Pointer at;
    for (const Level& level : levels_) {
      at.push_back(level.value.is_array() ? std::to_string(level.value.size()) : level.key);
    }
    return at;
  }

  bool open(Json empty) {
    if (levels_.size() == kDepthMax) return fail(fmt::format("nested more than {} levels deep", kDepthMax));
    levels_.push_back(Level{std::move(empty), {}, {}});
    return true;
  }

  bool close() {
    Json value = std::move(levels_.back().value);
    levels_.pop_back();
    return add(std::move(value));
  }

  bool add(Json value) {
    if (levels_.empty()) {
      parsed_.value = std::move(value);
    } else if (Level& level = levels_.back(); level.value.is_array()) {
      level.value.push_back(std::move(value));
    } else {
      level.value[level.key] = std::move(value);
    }
    return true;
  }

  const std::string& text_;
  ParsedJson parsed_;
  std::vector<Level> levels_;
};

}  // namespace

Json number_json(double value) {
  if (std::trunc(value) == value && std::abs(value) < kWholeMax) return static_cast<std::int64_t>(value);
  return value;
}

ParsedJson parse_json(const std::string& text) {
  Builder builder(text);
  // What fails is in the result's `error`.
  static_cast<void>(Json::sax_parse(text, &builder));
  return std::move(builder).take();
}

}  // namespace walstorm::config
