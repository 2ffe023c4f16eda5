#include "orchestrator/profile/analysis/modules.h"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>
#include <utility>

#include "proto/wire/error.h"

namespace walstorm::profile {
namespace {

std::optional<Layer> layer_in(const std::string& word) {
  if (word == "own") return Layer::own;
  if (word == "library") return Layer::library;
  if (word == "kernel") return Layer::kernel;
  if (word == "wait") return Layer::wait;
  return std::nullopt;
}

bool has_rule_for(const Module& module, const Frame& frame) {
  for (const Module::Rule& rule : module.rules) {
    if (fits(rule.pattern, rule.of_object ? frame.object : frame.function)) return true;
  }
  return false;
}

bool is_for(const Module& module, const std::string& target) {
  return std::find(module.not_of.begin(), module.not_of.end(), target) == module.not_of.end();
}

std::optional<Module> module_in(const std::string& line) {
  const auto end = line.find(']');
  if (!line.starts_with('[') || end == std::string::npos || end + 2 > line.size()) return std::nullopt;
  std::string word = line.substr(end + 2);
  constexpr std::string_view kRest = " rest";
  const bool is_rest = word.ends_with(kRest);
  if (is_rest) word.resize(word.size() - kRest.size());
  const auto layer = layer_in(word);
  if (!layer) return std::nullopt;
  return Module{line.substr(1, end - 1), *layer, is_rest, "", "", {}, {}};
}

/// "wait: [ready..." has brackets in its patterns alone, so a line that begins with one is a head.
bool take_rule(const std::string& line, Module& module) {
  const auto blank = line.find(' ');
  if (blank == std::string::npos) return false;
  const std::string word = line.substr(0, blank);
  const std::string rest = line.substr(blank + 1);
  if (word == "says") {
    module.says = rest;
  } else if (word == "advice") {
    module.advice = rest;
  } else if (word == "not-of") {
    std::istringstream targets(rest);
    for (std::string target; targets >> target;) module.not_of.push_back(target);
  } else if (word == "function" || word == "object") {
    module.rules.push_back({word == "object", rest});
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) {
  // On a mismatch the last * takes one more character.
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Modules::Modules(std::string_view text) {
  std::istringstream in{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    bool understood = false;
    if (auto module = module_in(line)) {
      modules_.push_back(std::move(*module));
      understood = true;
    } else if (!modules_.empty()) {
      understood = take_rule(line, modules_.back());
    }
    if (!understood)
      throw wire::Error(wire::ErrorKind::internal,
                        fmt::format("modules.txt, line {}: \"{}\" is no rule", number, line));
  }
}

const Modules::OfFrame& Modules::of(const Frame& frame, const std::string& target) const {
  const auto [found, is_new] = found_[target].try_emplace(frame);
  if (!is_new) return found->second;
  OfFrame& answer = found->second;
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    const Layer layer = modules_[i].layer;
    std::optional<std::size_t>& place = layer == Layer::wait ? answer.waits : answer.self;
    // The kernel's functions are the kernel's alone, whatever they are called.
    if (layer != Layer::wait && frame.kernel != (layer == Layer::kernel)) continue;
    if (place || !is_for(modules_[i], target) || !has_rule_for(modules_[i], frame)) continue;
    place = i;
    if (layer == Layer::own) answer.own = i;
  }
  return answer;
}

Modules::Place Modules::place(const Profile& profile, const Stack& stack) const {
  const auto is_rest = [this](std::size_t module) { return modules_[module].is_rest; };
  const auto take = [&is_rest](std::optional<std::size_t>& sure, std::optional<std::size_t>& rest,
                               const std::optional<std::size_t>& found) {
    if (!found || sure) return;
    if (!is_rest(*found)) {
      sure = found;
    } else if (!rest) {
      rest = found;
    }
  };
  std::optional<std::size_t> self, self_rest, own, own_rest, waits, waits_rest;
  bool in_kernel = true;
  for (auto number = stack.frames.rbegin(); number != stack.frames.rend(); ++number) {
    const Frame& frame = profile.frames()[*number];
    const OfFrame& found = of(frame, stack.target);
    // Of the kernel's part of a stack the first telling frame counts, and never the user's below it.
    if (in_kernel && !frame.kernel && !self) self = self_rest;
    in_kernel = in_kernel && frame.kernel;
    // What is left over of an own module stays that, unless another own module tells more.
    const bool only_own = self_rest && modules_[*self_rest].layer == Layer::own;
    take(self, self_rest, only_own ? found.own : found.self);
    take(own, own_rest, found.own);
    take(waits, waits_rest, found.waits);
  }
  Place place;
  place.self = (self ? self : self_rest).value_or(modules_.size() - 1);
  place.own = own ? own : own_rest;
  if (stack.kind == Kind::off_cpu) place.waits = waits ? waits : waits_rest;
  return place;
}

const Module* Modules::named(const std::string& name) const {
  for (const Module& module : modules_) {
    if (module.name == name) return &module;
  }
  return nullptr;
}

}  // namespace walstorm::profile
