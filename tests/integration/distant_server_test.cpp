// A server that is far away: each round trip takes its time, and nothing else is wrong.

#include <chrono>
#include <gtest/gtest.h>

#include "tests/support/lossy_proxy.h"
#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

/// One after the other, 90 connections of some ten round trips each would take longer than workers are waited
/// for.
TEST_F(OnAServer, EightyMillisecondsAwayNinetyConnectionsAreOpenedInTime) {
  const TemporaryFolder folder;
  LossyProxy proxy(folder.path(), server_.folder());
  proxy.delay(std::chrono::milliseconds(40));
  WalstormRun run(
      config({phase("p", 2, 500)},
             {{"database", {{"url", "postgresql://walstorm@/postgres?host=" + folder.path().string()}}},
              {"producer", {{"connections", 90}}}}));
  expect_clean_run(run);
  expect_no_slot();
}

}  // namespace
}  // namespace walstorm::tests
