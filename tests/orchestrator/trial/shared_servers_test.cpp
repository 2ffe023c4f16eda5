#include "orchestrator/trial/shared_servers.h"

#include <gtest/gtest.h>

namespace walstorm::trial {
namespace {

using Settings = std::map<std::string, std::string>;

TEST(SharedServers, LeaveToTheSessionsOnlyWhatTheServerWasNotStartedWith) {
  const Settings has{{"synchronous_commit", "off"}, {"work_mem", "4MB"}};
  EXPECT_EQ(settings_beyond(has, has), Settings{});
  EXPECT_EQ(settings_beyond(has, {{"synchronous_commit", "on"}, {"work_mem", "4MB"}, {"commit_delay", "10"}}),
            (Settings{{"synchronous_commit", "on"}, {"commit_delay", "10"}}));
}

}  // namespace
}  // namespace walstorm::trial
