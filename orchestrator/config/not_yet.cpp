#include "orchestrator/config/not_yet.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string>

namespace walstorm::config {
namespace {

struct NotYet {
  const char* at;
  const char* supported;  ///< a JSON list of what this version has; empty where the key is to be left out
};

/// Strike a line when its feature arrives. At the moment there is none.
constexpr std::array<NotYet, 0> kNotYet{};

std::string sentence(const Json& supported) {
  if (supported.empty()) return "comes with a later version; leave it out";
  std::string list;
  for (const Json& value : supported) list += (list.empty() ? "" : " and ") + value.dump();
  return fmt::format("comes with a later version; this one has {}", list);
}

}  // namespace

std::vector<Problem> not_yet_problems(const Json& document) {
  std::vector<Problem> problems;
  for (const NotYet& rule : kNotYet) {
    const Pointer at(rule.at);
    const Json supported = Json::parse(rule.supported);
    if (!document.contains(at)) continue;
    const Json& value = document.at(at);
    if (std::find(supported.begin(), supported.end(), value) != supported.end()) continue;
    problems.push_back({at, sentence(supported), value.is_primitive() && !supported.empty()});
  }
  return problems;
}

}  // namespace walstorm::config
