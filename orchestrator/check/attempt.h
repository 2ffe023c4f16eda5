#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "orchestrator/config/finding.h"
#include "proto/wire/error.h"

namespace walstorm::check {

/// For one question to a server.
inline constexpr std::chrono::seconds kLookTimeout{30};

/// Adds what `step` finds, or that it failed and why. Whether it went through.
template <typename Step>
bool attempt(std::vector<config::Finding>& findings, const std::string& what, Step step) {
  try {
    step();
    return true;
  } catch (const wire::Error& error) {
    findings.push_back({config::Level::problem, what, error.what(), ""});
    return false;
  }
}

}  // namespace walstorm::check
