#include "orchestrator/profile/stacks/profile.h"

#include <algorithm>
#include <utility>

namespace walstorm::profile {
namespace {

void add_new(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

const char* to_string(Kind kind) {
  switch (kind) {
    case Kind::on_cpu:
      return "on-cpu";
    case Kind::off_cpu:
      return "off-cpu";
    case Kind::in_use:
      return "in-use";
    case Kind::grown:
      return "grown";
    case Kind::taken:
      return "taken";
  }
  return "";
}

std::uint32_t Profile::frame(const Frame& frame) {
  const auto [found, is_new] = numbers_.try_emplace(frame, static_cast<std::uint32_t>(frames_.size()));
  if (is_new) frames_.push_back(frame);
  return found->second;
}

std::vector<std::uint32_t> Profile::numbers_of(const std::vector<Frame>& frames) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(frames.size());
  for (const Frame& each : frames) numbers.push_back(frame(each));
  return numbers;
}

void Profile::add(const Owner& owner, std::vector<std::uint32_t> frames, bool broken, std::uint64_t samples,
                  std::uint64_t ns) {
  const auto [found, is_new] =
      places_.try_emplace(Key{owner.phase, owner.target, owner.kind, broken, frames}, stacks_.size());
  if (is_new)
    stacks_.push_back({owner.phase, owner.target, owner.kind, std::move(frames), broken, samples, ns});
  if (is_new) return;
  stacks_[found->second].samples += samples;
  stacks_[found->second].ns += ns;
}

void Profile::add(const Profile& other) {
  for (const Stack& stack : other.stacks()) {
    std::vector<std::uint32_t> numbers;
    numbers.reserve(stack.frames.size());
    for (const std::uint32_t number : stack.frames) numbers.push_back(frame(other.frames_[number]));
    add({stack.phase, stack.target, stack.kind}, std::move(numbers), stack.broken, stack.samples, stack.ns);
  }
}

std::vector<std::string> Profile::phases() const {
  std::vector<std::string> names;
  for (const Stack& stack : stacks_) add_new(names, stack.phase);
  return names;
}

std::vector<std::string> Profile::targets() const {
  std::vector<std::string> names;
  for (const Stack& stack : stacks_) add_new(names, stack.target);
  return names;
}

bool Profile::has(Kind kind) const {
  return std::any_of(stacks_.begin(), stacks_.end(),
                     [kind](const Stack& stack) { return stack.kind == kind; });
}

Profile Profile::of_phase(const std::optional<std::string>& phase) const {
  Profile chosen;
  for (const Stack& stack : stacks_) {
    if (phase && stack.phase != *phase) continue;
    std::vector<std::uint32_t> numbers;
    for (const std::uint32_t number : stack.frames) numbers.push_back(chosen.frame(frames_[number]));
    chosen.add({phase.value_or(""), stack.target, stack.kind}, std::move(numbers), stack.broken,
               stack.samples, stack.ns);
  }
  return chosen;
}

}  // namespace walstorm::profile
