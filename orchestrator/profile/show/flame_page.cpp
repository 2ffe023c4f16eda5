#include "orchestrator/profile/show/flame_page.h"

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "orchestrator/text/script_json.h"

namespace walstorm::profile {
namespace {

using Json = nlohmann::ordered_json;

/// Numbers of names, in the order in which they come up.
class Names final {
 public:
  std::size_t number(const std::string& name) {
    const auto [found, is_new] = numbers_.try_emplace(name, names_.size());
    if (is_new) names_.push_back(name);
    return found->second;
  }
  [[nodiscard]] const std::vector<std::string>& all() const { return names_; }

 private:
  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> names_;
};

struct Weights {
  std::uint64_t samples = 0, us = 0;  // of memory: blocks and bytes
};

/// The stacks of both sides, each once.
class Stacks final {
 public:
  void add(const Profile& profile, bool is_base) {
    for (const Stack& stack : profile.stacks()) {
      std::vector<std::uint32_t> numbers;
      numbers.reserve(stack.frames.size());
      for (const std::uint32_t number : stack.frames)
        numbers.push_back(frames_.frame(profile.frames()[number]));
      auto& [here, there] = stacks_[{phases_.number(stack.phase), targets_.number(stack.target),
                                     static_cast<int>(stack.kind), std::move(numbers)}];
      Weights& weights = is_base ? there : here;
      weights.samples += stack.samples;
      weights.us += is_memory(stack.kind) ? stack.ns : stack.ns / 1000;
    }
  }

  [[nodiscard]] Json json(const Modules& modules) const {
    Json frames = Json::array(), stacks = Json::array(), names = Json::array();
    for (const Frame& frame : frames_.frames()) {
      Profile lone;  // a frame's own module: as if nothing had called it
      lone.add({}, {lone.frame(frame)}, false, 1, 1);
      frames.push_back({frame.function, frame.object, modules.place(lone, lone.stacks().front()).self});
    }
    for (const auto& [key, weights] : stacks_) {
      const auto& [phase, target, kind, numbers] = key;
      stacks.push_back({phase, target, kind, weights.first.samples, weights.first.us, weights.second.samples,
                        weights.second.us, numbers});
    }
    for (const Module& module : modules.all()) names.push_back(module.name);
    return {{"modules", names},
            {"frames", frames},
            {"phases", phases_.all()},
            {"targets", targets_.all()},
            {"stacks", stacks}};
  }

 private:
  using Key = std::tuple<std::size_t, std::size_t, int, std::vector<std::uint32_t>>;

  Profile frames_;  // as their register
  Names phases_, targets_;
  std::map<Key, std::pair<Weights, Weights>> stacks_;
};

}  // namespace

std::string flame_page(const Profile& profile, const Modules& modules, const std::string& title,
                       const std::map<std::string, std::string>& says, const Profile* base) {
  Stacks stacks;
  stacks.add(profile, false);
  if (base != nullptr) stacks.add(*base, true);
  Json data{{"title", title}, {"says", Json::object()}, {"compares", base != nullptr}};
  for (const auto& [target, text] : says) data["says"][target] = text;
  data.update(stacks.json(modules));
  constexpr std::string_view kPlace = "@DATA@";
  std::string page = kFlamePage;
  return page.replace(page.find(kPlace), kPlace.size(), text::script_json(data));
}

}  // namespace walstorm::profile
