#pragma once

#include <gtest/gtest.h>
#include <string>

#include <nlohmann/json.hpp>

namespace walstorm::tests {

/// What stands at `path` below a phase of metrics.json ("processes.consumer-0.cpuShare"); null where nothing
/// does.
inline nlohmann::json at_figure(const nlohmann::json& from, const std::string& path) {
  if (from.is_object() && from.contains(path)) return from[path];
  const auto dot = path.find('.');
  if (dot == std::string::npos) return nullptr;
  const std::string head = path.substr(0, dot), rest = path.substr(dot + 1);
  if (from.is_object() && from.contains(head)) return at_figure(from[head], rest);
  if (from.is_array()) {
    for (const nlohmann::json& process : from) {
      if (process["role"] == head) return at_figure(process, rest);
    }
  }
  return nullptr;
}

/// The verdict's evidence says of each figure what the report has at its path. (One that ends in "*" is the
/// sum of several.)
inline void expect_evidence_as_reported(const nlohmann::json& phase) {
  EXPECT_FALSE(phase["verdict"]["evidence"].empty()) << phase["verdict"];
  for (const nlohmann::json& evidence : phase["verdict"]["evidence"]) {
    const std::string figure = evidence["figure"];
    if (figure.ends_with("*") || evidence["value"].is_null()) continue;
    const nlohmann::json reported = at_figure(phase, figure);
    const nlohmann::json as_number = reported.is_boolean() ? nlohmann::json(reported ? 1 : 0) : reported;
    ASSERT_TRUE(as_number.is_number()) << figure << " is " << reported;
    EXPECT_DOUBLE_EQ(evidence["value"].get<double>(), as_number.get<double>()) << figure;
  }
}

}  // namespace walstorm::tests
