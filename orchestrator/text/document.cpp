#include "orchestrator/text/document.h"

#include <cmath>
#include <cstddef>
#include <fmt/format.h>

namespace walstorm::text {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIndent = 2;

std::string leaf_text(const Json& leaf) {
  if (!leaf.is_number_float()) return leaf.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto number = leaf.get<double>();
  if (!std::isfinite(number)) return "null";
  const std::string text = fmt::format("{}", number);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

void write(const Json& json, std::size_t indent, std::string& text) {
  if (!json.is_structured() || json.empty()) {
    text += json.is_structured() ? json.dump() : leaf_text(json);
    return;
  }
  const bool is_object = json.is_object();
  text += is_object ? '{' : '[';
  const char* between = "\n";
  for (const auto& [key, member] : json.items()) {
    text.append(between).append(indent + kIndent, ' ');
    if (is_object) text += leaf_text(key) + ": ";
    write(member, indent + kIndent, text);
    between = ",\n";
  }
  text.append("\n").append(indent, ' ');
  text += is_object ? '}' : ']';
}

}  // namespace

std::string document_text(const Json& document) {
  std::string text;
  write(document, 0, text);
  return text + "\n";
}

}  // namespace walstorm::text
