#pragma once

#include <string>
#include <vector>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile::test {

/// Frames of these functions, the outermost first; "k:name" is the kernel's, "name@object" of that object.
inline std::vector<std::uint32_t> frames_of(Profile& profile, const std::vector<std::string>& names) {
  std::vector<std::uint32_t> numbers;
  for (const std::string& name : names) {
    Frame frame{name, "walstorm-consumer", false};
    if (name.starts_with("k:")) frame = {name.substr(2), "[kernel]", true};
    if (const auto at = name.find('@'); at != std::string::npos)
      frame = {name.substr(0, at), name.substr(at + 1), false};
    numbers.push_back(profile.frame(frame));
  }
  return numbers;
}

struct Seen {
  std::vector<std::string> frames;
  std::uint64_t samples = 1;
  Kind kind = Kind::on_cpu;
  std::uint64_t ns = 0;  ///< 0: 10 ms a sample
  std::string target = "consumer", phase = "load";
  bool broken = false;
};

inline Profile profile_of(const std::vector<Seen>& all) {
  Profile profile;
  for (const Seen& seen : all) {
    profile.add({seen.phase, seen.target, seen.kind}, frames_of(profile, seen.frames), seen.broken,
                seen.samples, seen.ns > 0 ? seen.ns : seen.samples * 10'000'000);
  }
  return profile;
}

/// Each stack as "phase/target/kind a;b;c samples ns".
inline std::vector<std::string> lines_of(const Profile& profile) {
  std::vector<std::string> lines;
  for (const Stack& stack : profile.stacks()) {
    std::string line = stack.phase + "/" + stack.target + "/" + to_string(stack.kind) + " ";
    for (std::size_t i = 0; i < stack.frames.size(); ++i)
      line += (i > 0 ? ";" : "") + profile.frames()[stack.frames[i]].function;
    lines.push_back(line + " " + std::to_string(stack.samples) + " " + std::to_string(stack.ns) +
                    (stack.broken ? " broken" : ""));
  }
  return lines;
}

}  // namespace walstorm::profile::test
