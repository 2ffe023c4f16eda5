#include "tests/orchestrator/config/reference_page.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/report/golden.h"

namespace walstorm::config {
namespace {

/// `./dev docs` writes it anew.
TEST(ReferencePage, IsWhatTheSchemaSays) {
  report::test::expect_golden("config-reference.md", reference_page());
}

}  // namespace
}  // namespace walstorm::config
