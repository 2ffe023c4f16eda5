#include "orchestrator/process/attended_time.h"

#include <gtest/gtest.h>

namespace walstorm::process {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(AttendedTime, PassesWithLooksAndNotWithAStandstill) {
  const AttendedTime::Clock::time_point start{};
  AttendedTime time(start);
  time.look(start + milliseconds(400));
  time.look(start + milliseconds(900));
  EXPECT_EQ(time.passed(), milliseconds(900));
  time.look(start + seconds(20));  // stopped for 19.1 s
  EXPECT_EQ(time.passed(), milliseconds(900) + AttendedTime::kLookEvery);
  time.look(start + seconds(20) + milliseconds(300));
  EXPECT_EQ(time.passed(), milliseconds(1200) + AttendedTime::kLookEvery);
}

}  // namespace
}  // namespace walstorm::process
