// From readings to windows.

#include <gtest/gtest.h>

#include "orchestrator/profile/doctor/window_fold.h"
#include "proto/wire/error.h"

namespace walstorm::profile::doctor {
namespace {

constexpr Allowed kAllowed{10, 64e6};

process::ProcActivity used(std::uint64_t cpu_us, std::uint64_t waited_us) {
  process::ProcActivity activity;
  activity.cpu_user_us = cpu_us;
  activity.run_queue_us = waited_us;
  activity.voluntary_switches = cpu_us / 1000;
  activity.involuntary_switches = 7;
  activity.rss_bytes = 50'000'000;
  return activity;
}

Reading reading(std::int64_t at_us, std::uint64_t cpu_us = 0, std::uint64_t waited_us = 0) {
  Reading reading;
  reading.at_us = at_us;
  reading.taken_us = 1'700'000'000'000'000 + at_us;
  reading.process = used(cpu_us, waited_us);
  return reading;
}

TEST(WindowFold, MakesRatesOfWhatHasRisen) {
  WindowFold fold(kAllowed);
  fold.begin(reading(0, 100'000, 10'000));
  Reading now = reading(2'000'000, 1'100'000, 410'000);
  now.flushes_in_flight = 5;
  now.buffered_bytes = 16e6;
  now.records = 3000;
  fold.take(now);
  ASSERT_EQ(fold.windows().size(), 1U);
  const Window& window = fold.windows().front();
  EXPECT_DOUBLE_EQ(window.from_sec, 0);
  EXPECT_DOUBLE_EQ(window.to_sec, 2);
  EXPECT_DOUBLE_EQ(*window.cpu_share, 0.5);
  EXPECT_DOUBLE_EQ(*window.run_queue_share, 0.2);
  EXPECT_DOUBLE_EQ(*window.voluntary_per_sec, 500);
  EXPECT_DOUBLE_EQ(*window.involuntary_per_sec, 0);
  EXPECT_DOUBLE_EQ(*window.rss_bytes, 50e6);
  EXPECT_DOUBLE_EQ(*window.flushes_share, 0.5);
  EXPECT_DOUBLE_EQ(*window.buffered_share, 0.25);
  EXPECT_DOUBLE_EQ(*window.records_per_sec, 1500);
}

TEST(WindowFold, TellsTheLoopsDelayOfTheWindowAlone) {
  WindowFold fold(kAllowed);
  fold.begin(reading(0));
  Reading first = reading(1'000'000);
  first.loop_delay_us.record(9'000'000, 100);
  first.loop_elapsed_us = 1'000'000;
  first.loop_asleep_us = 900'000;
  fold.take(first);
  Reading second = reading(2'000'000);
  second.loop_delay_us = first.loop_delay_us;
  second.loop_delay_us.record(200, 98);
  second.loop_delay_us.record(5000, 2);
  second.loop_elapsed_us = 2'000'000;
  second.loop_asleep_us = 1'150'000;
  fold.take(second);
  ASSERT_EQ(fold.windows().size(), 2U);
  EXPECT_NEAR(*fold.windows()[0].utilization, 0.1, 1e-9);
  const Window& window = fold.windows()[1];
  EXPECT_NEAR(*window.loop_delay_p50_ms, 0.2, 0.002);
  EXPECT_NEAR(*window.loop_delay_p99_ms, 5, 0.05);
  EXPECT_NEAR(*window.loop_delay_max_ms, 5, 0.05);
  EXPECT_NEAR(*window.utilization, 0.75, 1e-9);
}

TEST(WindowFold, LeavesOutWhatWasNotMeasured) {
  WindowFold fold({});  // a producer's
  Reading start = reading(0);
  start.process.reset();
  fold.begin(start);
  Reading now = reading(1'000'000);
  now.connection_busy_us = {600'000, 400'000};
  fold.take(now);
  const Window& window = fold.windows().front();
  EXPECT_FALSE(window.cpu_share || window.run_queue_share || window.rss_bytes);
  EXPECT_FALSE(window.utilization || window.loop_delay_p50_ms);
  EXPECT_FALSE(window.flushes_share || window.buffered_share || window.sink_wait_ms);
  EXPECT_DOUBLE_EQ(*window.connections_share, 0.5);
}

/// A thread that has ended takes its counts along.
TEST(WindowFold, ASumThatFellIsNotKnown) {
  WindowFold fold(kAllowed);
  fold.begin(reading(0, 0, 500));
  fold.take(reading(1'000'000, 10'000, 200));
  EXPECT_FALSE(fold.windows().front().run_queue_share);
  EXPECT_TRUE(fold.windows().front().cpu_share);
}

/// Samples that waited in a pipe come at once: no rate is of the moment between them.
TEST(WindowFold, ReadingsThatComeTogetherAreOneWindow) {
  WindowFold fold(kAllowed);
  fold.begin(reading(0));
  Reading late = reading(3'000'000, 300'000);
  late.taken_us -= 2'000'000;
  fold.take(late);
  Reading later = reading(3'001'000, 300'000);
  later.taken_us -= 1'001'000;
  fold.take(later);
  fold.take(reading(4'000'000, 400'000));
  ASSERT_EQ(fold.windows().size(), 2U);
  EXPECT_DOUBLE_EQ(fold.windows()[1].from_sec, 3);
}

TEST(WindowFold, OfAPhaseOfHoursKeepsABoundedNumber) {
  WindowFold fold(kAllowed);
  fold.begin(reading(0));
  for (std::int64_t sec = 1; sec <= 24 * 3600; ++sec) fold.take(reading(sec * 1'000'000));
  EXPECT_LT(fold.windows().size(), 6 * WindowFold::kWindowsPerLength);
  EXPECT_GT(fold.windows().back().to_sec, 23 * 3600);
}

TEST(WindowFold, BeforeThePhaseThereIsNothing) {
  WindowFold fold(kAllowed);
  fold.take(reading(1'000'000));
  EXPECT_TRUE(fold.windows().empty());
}

TEST(ReadingOf, AFrameTakesWhatItHas) {
  proto::Sample sample;
  sample.set_taken_unix_us(7);
  sample.mutable_loop()->set_elapsed_us(10);
  sample.mutable_consumer()->mutable_acknowledged()->set_inserts(4);
  sample.mutable_consumer()->mutable_acknowledged()->set_deletes(2);
  sample.mutable_consumer()->set_flushes_in_flight(3);
  const Reading consumer = reading_of(sample);
  EXPECT_EQ(consumer.records, 6U);
  EXPECT_EQ(consumer.flushes_in_flight, 3);
  EXPECT_FALSE(consumer.loop_asleep_us);
  proto::PhaseResult result;
  result.mutable_producer()->add_connection_busy_us(9);
  EXPECT_EQ(reading_of(result).connection_busy_us.size(), 1U);
  EXPECT_FALSE(reading_of(result).flushes_in_flight);
}

}  // namespace
}  // namespace walstorm::profile::doctor
