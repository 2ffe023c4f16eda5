#include "orchestrator/config/layers.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "orchestrator/config/json/json_text.h"
#include "orchestrator/config/json/schema.h"
#include "orchestrator/config/json/secrets.h"

namespace walstorm::config {
namespace {

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> steps;
  std::size_t from = 0;
  for (auto dot = path.find('.'); dot != std::string::npos; dot = path.find('.', from)) {
    steps.push_back(path.substr(from, dot - from));
    from = dot + 1;
  }
  steps.push_back(path.substr(from));
  return steps;
}

/// "--set producer.batchSize=" -> "--set producer.batchSize"
std::string name_of(std::string flag) {
  if (flag.ends_with('=') || flag.ends_with(' ')) flag.pop_back();
  return flag;
}

/// The value as a message shows it: in one short line, no password in it.
std::string shown(const Json& value) {
  constexpr std::size_t kLengthMax = 60;
  if (value.is_object()) return "{...}";
  if (value.is_array()) return "[...]";
  const Json safe = value.is_string() ? Json(without_secrets(value.get<std::string>())) : value;
  std::string text = safe.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= kLengthMax) return text;
  std::size_t end = kLengthMax;
  while (!begins_character(text[end])) --end;
  return text.substr(0, end) + "...\"";
}

}  // namespace

void Layers::fill_in_defaults() {
  complete(schema(), document_);
}

void Layers::put(const Override& override) {
  ParsedJson parsed = override.as_text ? ParsedJson{override.value, {}, {}} : parse_json(override.value);
  if (!parsed.error.empty()) parsed.value = override.value;
  for (const Pointer& at : parsed.given_twice) {
    problems_.push_back(fmt::format("{}: {}: given twice", name_of(override.flag), at.to_string()));
  }
  put_at(document_, Pointer(), split(override.path), 0, override, parsed.value);
}

void Layers::put_at(Json& target, const Pointer& at, const std::vector<std::string>& steps, std::size_t step,
                    const Override& override, const Json& value) {
  if (step == steps.size()) {
    if (target.is_object() && value.is_object()) {
      target.update(value, true);
    } else {
      target = value;
    }
    puts_.push_back({at, override.flag});
    return;
  }
  const std::string& key = steps[step];
  if (target.is_null()) target = Json::object();
  if (target.is_object()) return put_at(target[key], at / key, steps, step + 1, override, value);
  // Of "every phase" in something that is no list the schema has more to say.
  if (key == "*" && !target.is_array()) return;
  for (std::size_t i = 0; i < target.size() && key == "*"; ++i) {
    put_at(target[i], at / i, steps, step + 1, override, value);
  }
  if (key == "*") return;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (target.is_array() && error == std::errc() && end == key.data() + key.size() && index < target.size()) {
    return put_at(target[index], at / index, steps, step + 1, override, value);
  }
  problems_.push_back(target.is_array()
                          ? fmt::format("{}: there is no \"{}\" in {}, which holds {} (counted from 0)",
                                        name_of(override.flag), key, at.to_string(), target.size())
                          : fmt::format("{}: {} is no object", name_of(override.flag), at.to_string()));
}

/// Who put the value at `at` there, or made it on the way to what they put; null: the source.
const Layers::Put* Layers::origin_of(const Pointer& at) const {
  const bool made_here = !original_.contains(at);
  const auto put = std::find_if(puts_.rbegin(), puts_.rend(), [&](const Put& each) {
    return is_within(at, each.at) || (made_here && is_within(each.at, at));
  });
  return put == puts_.rend() ? nullptr : &*put;
}

std::string Layers::line_of(const Problem& problem) const {
  const std::string value =
      problem.shows_value && document_.contains(problem.at) ? shown(document_.at(problem.at)) : "";
  const Put* put = origin_of(problem.at);
  const bool exact = put != nullptr && put->at == problem.at;
  std::string line = put == nullptr ? source_ : value.empty() || !exact ? name_of(put->flag) : put->flag;
  if (!exact && !problem.at.empty()) line += ": " + problem.at.to_string();
  if (!value.empty()) line += (exact ? "" : ": ") + value;
  return line + ": " + problem.message;
}

}  // namespace walstorm::config
