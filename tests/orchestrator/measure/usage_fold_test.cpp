#include "orchestrator/measure/fold/usage_fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walstorm::measure {
namespace {

using ::testing::Optional;

constexpr std::int64_t kSecondUs = 1'000'000;

ProcessSample sample_of(std::int64_t second, std::int64_t pid, std::uint64_t cpu_us,
                        std::uint64_t rss = 1000) {
  return {.at_unix_us = second * kSecondUs,
          .role = "postgres-backends",
          .pid = pid,
          .cpu_user_us = cpu_us,
          .cpu_system_us = 0,
          .rss_bytes = rss,
          .rss_max_bytes = 0,
          .context_switches = cpu_us / 1000};
}

TEST(UsageFold, CountsFromTheFirstSampleOfThePhase) {
  UsageFold fold;
  fold.add(sample_of(1, 7, 500'000));
  EXPECT_EQ(fold.report("r", 100).cpu_user_sec, std::nullopt) << "one sample measures nothing";
  fold.add(sample_of(2, 7, 700'000));
  const ProcessReport report = fold.report("r", 100);
  EXPECT_THAT(report.cpu_user_sec, Optional(0.2));
  EXPECT_THAT(report.cpu_micros_per_record, Optional(2000.0));
  EXPECT_EQ(report.context_switches, 200);
  EXPECT_EQ(report.pid, 7);
}

TEST(UsageFold, TellsTheTimeOnACpuFromTheTimeWithoutOneWithinAWindow) {
  UsageFold fold;
  for (std::int64_t second = 1; second <= 10; ++second) {
    const auto before = static_cast<std::uint64_t>(second - 1);
    // Idle in the first five seconds; then a quarter of a core, and half of the time without one.
    const std::uint64_t busy = second <= 5 ? 0 : before - 4;
    ProcessSample sample = sample_of(second, 7, busy * 250'000);
    sample.cpu_wait_us = busy * 500'000;
    fold.add(sample);
  }
  const CpuLoad late = fold.cpu_load(5e6, 10e6);
  EXPECT_THAT(late.share, Optional(0.25));
  EXPECT_THAT(late.wait_share, Optional(0.5));
  EXPECT_THAT(fold.cpu_load(1e6, 5e6).share, Optional(0.0));
  EXPECT_EQ(fold.cpu_load(9e6, 20e6).share, std::nullopt) << "most of it was not seen";
}

TEST(UsageFold, KnowsNoWaitsWhereTheKernelDoesNotCountThem) {
  UsageFold fold;
  for (std::int64_t second = 1; second <= 3; ++second) fold.add(sample_of(second, 7, 1000));
  EXPECT_THAT(fold.cpu_load(1e6, 3e6).share, Optional(0.0));
  EXPECT_EQ(fold.cpu_load(1e6, 3e6).wait_share, std::nullopt);
}

TEST(UsageFold, KeepsWhatAProcessUsedAfterItEnds) {
  UsageFold fold;
  for (std::int64_t second = 1; second <= 10; ++second) {
    if (second <= 3) fold.add(sample_of(second, 7, static_cast<std::uint64_t>(second) * 300'000));
    fold.add(sample_of(second, 8, static_cast<std::uint64_t>(second) * 100'000));
    const Second::Process now = fold.close_second("r");
    if (now.cpu_share) {
      EXPECT_GE(*now.cpu_share, 0);
      EXPECT_LE(*now.cpu_share, 0.4001);
    }
    if (second == 3) {
      EXPECT_EQ(now.rss_bytes, 2000);
    }
    if (second == 10) {
      EXPECT_EQ(now.rss_bytes, 1000) << "the one that ended holds no memory any more";
    }
  }
  EXPECT_THAT(fold.report("r", 1).cpu_user_sec, Optional(0.6 + 0.9));
  EXPECT_EQ(fold.report("r", 1).pid, std::nullopt) << "several processes have no one pid";
  EXPECT_EQ(fold.report("r", 1).rss_max_bytes, 2000);
}

TEST(UsageFold, TakesALowerCounterForAnotherProcessUnderTheSamePid) {
  UsageFold fold;
  fold.add(sample_of(1, 7, 900'000));
  fold.add(sample_of(2, 7, 10'000));
  fold.add(sample_of(3, 7, 60'000));
  EXPECT_THAT(fold.report("r", 1).cpu_user_sec, Optional(0.05));
}

TEST(UsageFold, DividesASecondsCpuByTheTimeBetweenItsSamples) {
  UsageFold fold;
  fold.add(sample_of(1, 7, 0));
  EXPECT_EQ(fold.close_second("r").cpu_share, std::nullopt);
  fold.add(sample_of(3, 7, 1'000'000));
  EXPECT_THAT(fold.close_second("r").cpu_share, Optional(0.5));
  EXPECT_EQ(fold.close_second("r").cpu_share, std::nullopt);
}

TEST(UsageFold, TrustsTheHighWaterMarkOnlyIfItRoseInThePhase) {
  UsageFold fold;
  ProcessSample sample = sample_of(1, 7, 0, 500);
  sample.rss_max_bytes = 9000;  // of an earlier phase
  fold.add(sample);
  sample.at_unix_us += kSecondUs;
  fold.add(sample);
  EXPECT_EQ(fold.report("r", 1).rss_max_bytes, 500);
  sample.at_unix_us += kSecondUs;
  sample.rss_max_bytes = 9500;
  fold.add(sample);
  EXPECT_EQ(fold.report("r", 1).rss_max_bytes, 9500);
}

}  // namespace
}  // namespace walstorm::measure
