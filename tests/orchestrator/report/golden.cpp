#include "tests/orchestrator/report/golden.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace walstorm::report::test {

void expect_golden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(WALSTORM_GOLDEN_DIR) + "/" + name;
  if (std::getenv("WALSTORM_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    FAIL() << "wrote " << path << ": look at the diff";
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << "no " << path << ": run once with WALSTORM_UPDATE_GOLDEN=1";
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str()) << "differs from " << path;
}

}  // namespace walstorm::report::test
