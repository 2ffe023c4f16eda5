#include "orchestrator/config/json/schema.h"

#include <algorithm>

namespace walstorm::config {
namespace {

bool is_for(const Json& node, const std::vector<std::string>& types) {
  const auto wanted = node.find("type");
  if (wanted == node.end()) return true;
  return std::any_of(types.begin(), types.end(), [&](const std::string& type) {
    return wanted->is_array() ? std::count(wanted->begin(), wanted->end(), Json(type)) > 0 : *wanted == type;
  });
}

const Json* find(const Json& node, const std::string& key) {
  const auto found = node.find(key);
  return found == node.end() ? nullptr : &*found;
}

const Json* child_of(const Json& node, const Json& value, const std::string& key) {
  const Json* branch = branch_for(node, value);
  if (branch == nullptr) return nullptr;
  if (value.is_array()) return find(*branch, "items");
  if (const Json* properties = find(*branch, "properties")) {
    if (const Json* child = find(*properties, key)) return child;
  }
  const Json* others = find(*branch, "additionalProperties");
  return others != nullptr && others->is_object() ? others : nullptr;
}

/// Only "#/definitions/..." occurs, and none refers to itself; an unknown one throws.
Json without_references(const Json& node, const Json& root) {
  if (!node.is_structured()) return node;
  Json result = node;
  if (const Json* reference = node.is_object() ? find(node, "$ref") : nullptr) {
    result = root.at(Pointer(reference->get<std::string>().substr(1)));
    result.update(node);
    result.erase("$ref");
  }
  for (Json& child : result) child = without_references(child, root);
  return result;
}

void complete_object(const Json& node, Json& value) {
  const Json* properties = find(node, "properties");
  if (properties == nullptr) return;
  for (const auto& [key, child] : properties->items()) {
    if (!value.contains(key)) {
      if (child.contains("default")) {
        value[key] = child["default"];
      } else if (child.contains("properties")) {
        value[key] = Json::object();
      } else {
        continue;
      }
    }
    complete(child, value[key]);
  }
}

void add_paths(const Json& node, const std::string& prefix, std::vector<std::string>& paths) {
  const Json* properties = find(node, "properties");
  if (properties == nullptr) return;
  for (const auto& [key, child] : properties->items()) {
    paths.push_back(prefix + key);
    add_paths(child, prefix + key + ".", paths);
  }
}

}  // namespace

const Json& schema() {
  static const Json parsed = [] {
    const Json text = Json::parse(kSchemaText);
    Json inlined = without_references(text, text);
    inlined.erase("definitions");
    return inlined;
  }();
  return parsed;
}

std::vector<std::string> types_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return {"integer", "number"};
    case Json::value_t::number_float:
      return {"number"};
    default:
      return {value.type_name()};
  }
}

const Json* branch_for(const Json& node, const Json& value) {
  const Json* branches = find(node, "anyOf");
  if (branches == nullptr) return &node;
  const auto types = types_of(value);
  const auto branch =
      std::find_if(branches->begin(), branches->end(), [&](const Json& each) { return is_for(each, types); });
  return branch == branches->end() ? nullptr : &*branch;
}

const Json* schema_at(const Pointer& at, const Json& document) {
  if (at.empty()) return &schema();
  const Json* parent = schema_at(at.parent_pointer(), document);
  if (parent == nullptr || !document.contains(at.parent_pointer())) return nullptr;
  return child_of(*parent, document.at(at.parent_pointer()), at.back());
}

void complete(const Json& node, Json& value) {
  const Json* branch = branch_for(node, value);
  if (branch == nullptr || !is_for(*branch, types_of(value))) return;
  if (value.is_object()) complete_object(*branch, value);
  const Json* items = value.is_array() ? find(*branch, "items") : nullptr;
  if (items == nullptr) return;
  for (Json& item : value) complete(*items, item);
}

std::vector<std::string> known_paths() {
  std::vector<std::string> paths;
  add_paths(schema(), "", paths);
  add_paths(schema()["properties"]["phases"]["items"], "phases.*.", paths);
  return paths;
}

}  // namespace walstorm::config
