#pragma once

#include <string>
#include <vector>

#include "orchestrator/check/finding.h"
#include "proto/wire/error.h"

namespace walstorm::check {

/// Adds what `step` finds, or that it failed and why. Whether it went through.
template <typename Step>
bool attempt(std::vector<Finding>& findings, const std::string& what, Step step) {
  try {
    step();
    return true;
  } catch (const wire::Error& error) {
    findings.push_back({Level::problem, what, error.what(), ""});
    return false;
  }
}

}  // namespace walstorm::check
