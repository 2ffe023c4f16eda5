#include "orchestrator/config/pipeline.h"

#include <fmt/format.h>
#include <vector>

#include <nlohmann/json.hpp>

#include "proto/wire/error.h"

namespace walstorm::config {
namespace {

using Json = nlohmann::json;

/// More of them are counted, not listed.
constexpr std::size_t kListed = 8;

std::string value_text(const Json* value) {
  return value == nullptr ? "not set" : value->dump();
}

void compare(const std::string& path, const Json* earlier, const Json* now, std::vector<std::string>& lines) {
  if (earlier != nullptr && now != nullptr && *earlier == *now) return;
  const auto below = [&path](const std::string& key) { return path.empty() ? key : path + "." + key; };
  const bool both = earlier != nullptr && now != nullptr;
  if (both && earlier->is_object() && now->is_object()) {
    for (const auto& [key, value] : earlier->items())
      compare(below(key), &value, now->contains(key) ? &now->at(key) : nullptr, lines);
    for (const auto& [key, value] : now->items()) {
      if (!earlier->contains(key)) compare(below(key), nullptr, &value, lines);
    }
    return;
  }
  if (both && earlier->is_array() && now->is_array() && earlier->size() == now->size()) {
    for (std::size_t i = 0; i < now->size(); ++i)
      compare(below(std::to_string(i)), &(*earlier)[i], &(*now)[i], lines);
    return;
  }
  lines.push_back(fmt::format("{} (was {}, is {})", path, value_text(earlier), value_text(now)));
}

}  // namespace

std::string pipeline_of(const Config& config) {
  Json json = to_json(config);
  for (const char* key : {"name", "description", "profiling", "sweep"}) json.erase(key);
  return json.dump();
}

std::string difference_text(const std::string& earlier, const std::string& now) {
  const Json was = Json::parse(earlier);
  const Json is = Json::parse(now);
  std::vector<std::string> lines;
  compare("", &was, &is, lines);
  const std::size_t more = lines.size() > kListed ? lines.size() - kListed : 0;
  lines.resize(lines.size() - more);
  std::string text = fmt::format("{}", fmt::join(lines, ", "));
  return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

void require_same_pipeline(const std::string& what, const std::string& earlier, const std::string& now) {
  const std::string difference = difference_text(earlier, now);
  if (difference.empty()) return;
  throw wire::Error(wire::ErrorKind::config,
                    fmt::format("{} was begun with another config: {}. Resume it with the config and options "
                                "that it was begun with, or begin another without --resume",
                                what, difference));
}

}  // namespace walstorm::config
