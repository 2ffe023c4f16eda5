#include "orchestrator/measure/fold/load_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walstorm::measure {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

config::Phase phase_of(config::Load load, double duration_sec, std::optional<std::uint64_t> records) {
  return {.name = "p", .duration_sec = duration_sec, .load = load, .records = records, .warmup = false};
}

TEST(LoadSchedule, RisesLinearlyInARamp) {
  const config::Load ramp = config::RampLoad{1000, 3000};
  EXPECT_THAT(records_due(ramp, 10, 5), Optional(7500.0));
  EXPECT_THAT(records_due(ramp, 10, 10), Optional(20'000.0));
}

TEST(LoadSchedule, HasNoTargetWithoutThrottle) {
  EXPECT_EQ(records_due(config::MaxLoad{}, 10, 5), std::nullopt);
  EXPECT_EQ(schedule_sec(phase_of(config::MaxLoad{}, 10, {})), std::nullopt);
}

TEST(LoadSchedule, EndsWhenItsRecordsAreDue) {
  EXPECT_THAT(schedule_sec(phase_of(config::ConstantLoad{1000}, 10, {})), Optional(10.0));
  EXPECT_THAT(schedule_sec(phase_of(config::ConstantLoad{1000}, 10, 4000)), Optional(4.0));
  EXPECT_THAT(schedule_sec(phase_of(config::ConstantLoad{1000}, 10, 40'000)), Optional(10.0));
  EXPECT_THAT(schedule_sec(phase_of(config::RampLoad{1000, 3000}, 10, 7500)), Optional(DoubleNear(5, 1e-9)));
  EXPECT_THAT(schedule_sec(phase_of(config::RampLoad{3000, 1000}, 10, 12'500)),
              Optional(DoubleNear(5, 1e-9)));
  EXPECT_THAT(schedule_sec(phase_of(config::RampLoad{1000, 0}, 10, 5001)), Optional(10.0));
}

}  // namespace
}  // namespace walstorm::measure
