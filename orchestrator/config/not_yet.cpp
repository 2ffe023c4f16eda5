#include "orchestrator/config/not_yet.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sstream>
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
  for (std::size_t i = 0; i < supported.size(); ++i)
    list += (i == 0 ? "" : i + 1 < supported.size() ? ", " : " and ") + supported[i].dump();
  return fmt::format("comes with a later version; this one has {}", list);
}

/// A list of words is when each of them is.
bool is_supported(const Json& value, const Json& supported) {
  const auto is_listed = [&supported](const Json& each) {
    return std::find(supported.begin(), supported.end(), each) != supported.end();
  };
  if (!value.is_string()) return is_listed(value);
  std::istringstream words(value.get<std::string>());
  for (std::string word; std::getline(words, word, ',');) {
    if (!is_listed(word)) return false;
  }
  return true;
}

}  // namespace

std::vector<Problem> not_yet_problems(const Json& document) {
  std::vector<Problem> problems;
  for (const NotYet& rule : kNotYet) {
    const Pointer at(rule.at);
    const Json supported = Json::parse(rule.supported);
    if (!document.contains(at)) continue;
    const Json& value = document.at(at);
    if (is_supported(value, supported)) continue;
    problems.push_back({at, sentence(supported), value.is_primitive() && !supported.empty()});
  }
  return problems;
}

}  // namespace walstorm::config
