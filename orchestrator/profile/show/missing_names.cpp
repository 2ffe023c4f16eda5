#include "orchestrator/profile/show/missing_names.h"

#include <cstdint>
#include <fmt/format.h>
#include <map>
#include <utility>

namespace walstorm::profile {
namespace {

/// Of a target's samples: from here on it is worth a sentence.
constexpr double kShareMin = 0.1;

}  // namespace

std::vector<std::string> missing_names(const Profile& profile) {
  std::map<std::string, std::uint64_t> all;
  std::map<std::pair<std::string, std::string>, std::uint64_t> nameless;  // target and object
  for (const Stack& stack : profile.stacks()) {
    if (stack.kind != Kind::on_cpu || stack.frames.empty()) continue;
    all[stack.target] += stack.samples;
    const Frame& innermost = profile.frames()[stack.frames.back()];
    if (innermost.function == kUnknown) nameless[{stack.target, innermost.object}] += stack.samples;
  }
  std::vector<std::string> sentences;
  for (const auto& [key, samples] : nameless) {
    const auto& [target, object] = key;
    const double share = static_cast<double>(samples) / static_cast<double>(all[target]);
    if (share < kShareMin) continue;
    sentences.push_back(
        fmt::format("{:.0f} % of the samples of {} are in functions of {} that have no names here; its debug "
                    "symbols (Debian: "
                    "its package's -dbgsym) would tell them",
                    share * 100, target, object.empty() ? "code of no known file" : object));
  }
  return sentences;
}

std::vector<std::string> broken_stacks(const std::vector<TargetAnalysis>& targets) {
  std::vector<std::string> sentences;
  for (const TargetAnalysis& target : targets) {
    if (target.broken_share.value_or(0) < kShareMin) continue;
    sentences.push_back(
        fmt::format("{}: {}: there no way was found from a function to its caller (code that keeps no frame "
                    "pointer), and what is above it in the graph is missing",
                    target.target, broken_text(target)));
  }
  return sentences;
}

}  // namespace walstorm::profile
