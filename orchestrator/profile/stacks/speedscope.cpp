#include "orchestrator/profile/stacks/speedscope.h"

#include <cstdint>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "proto/wire/version.h"

namespace walstorm::profile {

std::string speedscope_json(const Profile& profile, const std::string& name) {
  using Json = nlohmann::ordered_json;
  Json frames = Json::array();
  for (const Frame& frame : profile.frames()) {
    const bool nameless = frame.function == kUnknown && !frame.object.empty();
    Json each{{"name", nameless ? "[" + frame.object + "]" : frame.function}};
    if (!frame.object.empty()) each["file"] = frame.object;
    frames.push_back(std::move(each));
  }
  std::map<std::pair<std::string, Kind>, Json> profiles;
  std::map<std::pair<std::string, Kind>, std::uint64_t> ends;
  for (const Stack& stack : profile.stacks()) {
    const std::pair key{stack.target, stack.kind};
    Json& each = profiles[key];
    if (each.is_null()) {
      each = Json{{"type", "sampled"},
                  {"name", stack.target + ", " + to_string(stack.kind)},
                  {"unit", stack.ns > 0 ? "nanoseconds" : "none"},
                  {"startValue", 0},
                  {"endValue", 0},
                  {"samples", Json::array()},
                  {"weights", Json::array()}};
    }
    const std::uint64_t weight = each["unit"] == "none" ? stack.samples : stack.ns;
    each["samples"].push_back(stack.frames);
    each["weights"].push_back(weight);
    each["endValue"] = ends[key] += weight;
  }
  Json file{{"$schema", "https://www.speedscope.app/file-format-schema.json"},
            {"name", name},
            {"exporter", std::string("walstorm ") + wire::kToolVersion},
            {"activeProfileIndex", 0},
            {"shared", {{"frames", std::move(frames)}}},
            {"profiles", Json::array()}};
  for (auto& [key, each] : profiles) file["profiles"].push_back(std::move(each));
  return file.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace walstorm::profile
