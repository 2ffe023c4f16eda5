#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace walstorm::config {

using Json = nlohmann::json;
using Pointer = Json::json_pointer;

/// One thing wrong with a configuration.
struct Problem {
  Pointer at;
  std::string message;      ///< what must hold instead: "must be at least 1"
  bool shows_value = true;  ///< false where the value says nothing, or is a secret
};

/// True if `inner` is `outer` or lies within it.
[[nodiscard]] inline bool is_within(Pointer inner, const Pointer& outer) {
  while (inner != outer) {
    if (inner.empty()) return false;
    inner.pop_back();
  }
  return true;
}

/// True if something at `at` or within it is wrong already.
[[nodiscard]] inline bool is_known(const std::vector<Problem>& problems, const Pointer& at) {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const Problem& each) { return is_within(each.at, at); });
}

}  // namespace walstorm::config
