#include "orchestrator/config/json/explain.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <set>
#include <string>

#include "orchestrator/config/json/did_you_mean.h"
#include "orchestrator/config/json/json_text.h"
#include "orchestrator/config/json/schema.h"

namespace walstorm::config {
namespace {

std::string or_list(const std::vector<std::string>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
    list += words[i];
  }
  return list;
}

std::string type_phrase(const std::string& type) {
  if (type == "integer") return "a whole number";
  if (type == "number") return "a number";
  if (type == "string") return "text in quotes";
  if (type == "boolean") return "true or false";
  if (type == "array") return "a list, [...]";
  return "an object, {...}";
}

/// Why `value` is not of the node's type; empty when it is.
std::string type_reason(const Json& node, const Json& value) {
  if (node.contains("anyOf")) {
    std::vector<std::string> titles;
    for (const Json& branch : node["anyOf"]) titles.push_back(branch["title"]);
    return "must be " + or_list(titles);
  }
  const auto wanted = node.find("type");
  if (wanted == node.end()) return {};
  const std::vector<std::string> types =
      wanted->is_array() ? wanted->get<std::vector<std::string>>() : std::vector{wanted->get<std::string>()};
  for (const std::string& type : types_of(value)) {
    if (std::find(types.begin(), types.end(), type) != types.end()) return {};
  }
  std::vector<std::string> phrases;
  std::transform(types.begin(), types.end(), std::back_inserter(phrases), type_phrase);
  return "must be " + or_list(phrases);
}

std::string range_reason(const Json& node, const Json& value) {
  // As doubles: an integer beyond 2^63 is not negative here, as it is for the validator.
  const auto number = value.get<double>();
  if (node.contains("minimum") && number < node["minimum"])
    return "must be at least " + node["minimum"].dump();
  if (node.contains("maximum") && number > node["maximum"])
    return "must be at most " + node["maximum"].dump();
  return {};
}

std::string text_reason(const Json& node, const std::string& text) {
  if (node.contains("minLength") && text.empty()) return "must not be empty";
  const auto length = std::count_if(text.begin(), text.end(), begins_character);
  if (node.contains("maxLength") && length > node["maxLength"]) {
    return fmt::format("must be at most {} characters long", node["maxLength"].dump());
  }
  const bool fits = !node.contains("pattern") || matches(text, node["pattern"]);
  return fits ? "" : node["patternErrorMessage"].get<std::string>();
}

std::string list_reason(const Json& node, const Json& list) {
  if (node.contains("minItems") && list.size() < node["minItems"]) {
    return fmt::format("must hold at least {}", node["minItems"].dump());
  }
  if (node.contains("maxItems") && list.size() > node["maxItems"]) {
    return fmt::format("holds {}; must hold at most {}", list.size(), node["maxItems"].dump());
  }
  return {};
}

/// "producer.batchSize" for a "batchSize" at the top; empty when no other object has such a key.
std::string right_place_of(const std::string& key) {
  for (const std::string& path : known_paths()) {
    if (path.ends_with("." + key)) return path;
  }
  return {};
}

Problem unknown_key(const Json& node, const Pointer& at, const std::string& key) {
  std::vector<std::string> keys;
  for (const auto& [known, child] : node["properties"].items()) keys.push_back(known);
  std::string meant = nearest(key, keys);
  if (meant.empty()) meant = right_place_of(key);
  return {at / key, meant.empty() ? "unknown key" : fmt::format("unknown key; did you mean \"{}\"?", meant),
          false};
}

std::vector<Problem> object_problems(const Json& node, const Json& object, const Pointer& at) {
  std::vector<Problem> problems;
  for (const Json& key : node.value("required", Json::array())) {
    if (!object.contains(key.get<std::string>())) {
      problems.push_back({at / key.get<std::string>(), "is missing", false});
    }
  }
  const bool closed = node.contains("additionalProperties") && node["additionalProperties"] == false;
  for (const auto& [key, value] : object.items()) {
    if (closed && !node["properties"].contains(key)) problems.push_back(unknown_key(node, at, key));
    if (!node.contains("propertyNames")) continue;
    const std::string reason = text_reason(node["propertyNames"], key);
    if (!reason.empty()) problems.push_back({at / key, reason, false});
  }
  if (node.contains("maxProperties") && object.size() > node["maxProperties"]) {
    problems.push_back({at, fmt::format("must hold at most {} keys", node["maxProperties"].dump()), false});
  }
  return problems;
}

std::vector<Problem> reasons_of(const Json& node, const Json& value, const Pointer& at) {
  // A whole number written as a float is one too large for an integer: its range says so.
  const bool huge = value.is_number_float() && node.value("type", Json()) == "integer" &&
                    std::trunc(value.get<double>()) == value.get<double>();
  const Json* branch = branch_for(node, value);
  const bool shown = !(node.contains("writeOnly") && value.is_string());
  std::string reason = huge ? "" : type_reason(branch ? *branch : node, value);
  if (!branch || !reason.empty()) return {{at, reason, shown}};
  if (value.is_object()) return object_problems(*branch, value, at);
  if (branch->contains("enum")) {
    const Json& allowed = (*branch)["enum"];
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return {};
    if (node.contains("anyOf")) return {{at, type_reason(node, value), shown}};
    std::vector<std::string> words;
    std::transform(allowed.begin(), allowed.end(), std::back_inserter(words),
                   [](const Json& w) { return w.dump(); });
    return {{at, (words.size() > 1 ? "must be one of " : "must be ") + or_list(words), shown}};
  }
  if (value.is_number()) reason = range_reason(*branch, value);
  if (value.is_string()) reason = text_reason(*branch, value.get<std::string>());
  if (value.is_array()) reason = list_reason(*branch, value);
  if (reason.empty()) return {};
  return {{at, reason, shown && !value.is_array()}};
}

/// Of the value at `at` and everything in it.
void add_reasons_within(const Pointer& at, const Json& document, std::vector<Problem>& problems) {
  const Json* node = schema_at(at, document);
  if (!node) return;
  const Json& value = document.at(at);
  const auto reasons = reasons_of(*node, value, at);
  problems.insert(problems.end(), reasons.begin(), reasons.end());
  if (!value.is_structured()) return;
  for (const auto& [key, child] : value.items()) add_reasons_within(at / key, document, problems);
}

}  // namespace

std::vector<Problem> explain(const std::vector<Violation>& violations, const Json& document) {
  std::vector<Problem> problems;
  std::set<Pointer> seen;
  for (const Violation& violation : violations) {
    const Json* node = schema_at(violation.at, document);
    if (!node || !seen.insert(violation.at).second) continue;
    const auto reasons = reasons_of(*node, document.at(violation.at), violation.at);
    problems.insert(problems.end(), reasons.begin(), reasons.end());
  }
  for (const Violation& violation : violations) {
    if (is_known(problems, violation.at)) continue;
    // Of a bad key the validator names the parent's parent.
    add_reasons_within(violation.at, document, problems);
    if (!is_known(problems, violation.at)) problems.push_back({violation.at, violation.says, false});
  }
  return problems;
}

}  // namespace walstorm::config
