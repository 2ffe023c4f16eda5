#pragma once

#include <string>

namespace walstorm::report::test {

/// Expects `actual` to be what tests/orchestrator/report/golden/<name> holds.
/// With WALSTORM_UPDATE_GOLDEN=1 in the environment the file is written instead, for a person to look at in
/// the diff, and the test fails, so that nobody runs it that way by habit.
void expect_golden(const std::string& name, const std::string& actual);

}  // namespace walstorm::report::test
