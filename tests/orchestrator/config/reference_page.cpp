#include "tests/orchestrator/config/reference_page.h"

#include <fmt/format.h>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/config/json/schema.h"

namespace walstorm::config {
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

/// Text within a cell of a table.
std::string cell(const std::string& text) {
  return replaced(replaced(text, "|", "\\|"), "\n", " ");
}

std::string code(const Json& value) {
  return "`" + cell(value.dump()) + "`";
}

std::string joined(const std::vector<std::string>& parts, const char* by) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : by) + part;
  return text;
}

std::string type_text(const Json& node) {
  if (node.contains("anyOf")) {
    std::vector<std::string> titles;
    for (const Json& branch : node["anyOf"]) titles.push_back(cell(branch["title"]));
    return joined(titles, " or ");
  }
  if (node.contains("enum")) {
    std::vector<std::string> values;
    for (const Json& value : node["enum"]) values.push_back(code(value));
    return joined(values, ", ");
  }
  const Json type = node.value("type", Json("any"));
  std::string text = type.is_array() ? type.dump() : type.get<std::string>();
  const bool at_least = node.contains("minimum");
  const bool at_most = node.contains("maximum");
  if (at_least && at_most) text += fmt::format(", {} to {}", node["minimum"].dump(), node["maximum"].dump());
  if (at_least && !at_most) text += fmt::format(", at least {}", node["minimum"].dump());
  return text;
}

/// A row for each key that holds a value; keys of an object below it follow with their whole path.
void add_rows(const Json& node, const std::string& path, std::string& page) {
  for (const auto& [name, child] : node["properties"].items()) {
    const std::string at = path.empty() ? name : path + "." + name;
    const std::string meaning = cell(child.value("description", ""));
    const Json& items = child.contains("items") ? child["items"] : child;
    const bool has_keys = child.contains("properties") || items.contains("properties");
    const std::string fallback = child.contains("default") ? code(child["default"]) : "–";
    page +=
        fmt::format("| `{}` | {} | {} | {} |\n", at, type_text(child), has_keys ? "–" : fallback, meaning);
    if (child.contains("properties")) add_rows(child, at, page);
    if (child.contains("items") && items.contains("properties")) add_rows(items, at + "[]", page);
  }
}

}  // namespace

std::string reference_page() {
  std::string page =
      "# Config reference\n\n"
      "Made by `./dev docs` from [`configs/walstorm.schema.json`](../configs/walstorm.schema.json), which "
      "walstorm itself "
      "reads. How to write a config: [configs.md](configs.md).\n\n"
      "| key | type | default | meaning |\n|:--|:--|:--|:--|\n";
  add_rows(schema(), "", page);
  return page;
}

}  // namespace walstorm::config
