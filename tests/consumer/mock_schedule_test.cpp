#include "consumer/sink/mock_schedule.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace walstorm::consumer {
namespace {

double answer_us(MockSchedule& schedule, double now_us, std::uint64_t records) {
  return schedule.answer(now_us, records).at_us;
}

TEST(MockSchedule, WithoutALimitEveryFlushTakesTheDelay) {
  MockSchedule schedule({.delay_us = 5'000});
  EXPECT_EQ(answer_us(schedule, 10'000, 1'000), 15'000);
  EXPECT_EQ(answer_us(schedule, 10'000, 1'000), 15'000);
}

TEST(MockSchedule, ConcurrentFlushesShareOneServer) {
  MockSchedule schedule({.records_per_sec_max = 1'000});  // a record per millisecond
  EXPECT_EQ(answer_us(schedule, 100'000, 10), 109'000);   // less the slack
  EXPECT_EQ(answer_us(schedule, 100'000, 10), 119'000);
  EXPECT_EQ(answer_us(schedule, 100'000, 10), 129'000);
}

TEST(MockSchedule, TheDelayIsNotTheServersTime) {
  MockSchedule schedule({.delay_us = 50'000, .records_per_sec_max = 1'000});
  (void)schedule.answer(100'000, 10);
  EXPECT_EQ(answer_us(schedule, 100'000, 10), 169'000);
}

TEST(MockSchedule, IdlenessIsNotSavedUp) {
  MockSchedule schedule({.records_per_sec_max = 1'000});
  (void)schedule.answer(100'000, 10);
  EXPECT_EQ(answer_us(schedule, 10'000'000, 10), 10'009'000);
}

/// Records per second that a reader gets done which has `flights` flushes under way, hears of each answer
/// `late_us` after it is due and sends the next at once.
double delivered_per_sec(double limit, int flights, std::uint64_t batch, double late_us) {
  MockSchedule schedule({.records_per_sec_max = limit});
  std::vector<double> answers;
  double now_us = 0;
  for (int i = 0; i < flights; ++i) answers.push_back(answer_us(schedule, now_us, batch));
  const std::size_t flushes = 20'000;
  for (std::size_t next = 0; answers.size() < flushes; ++next) {
    now_us = std::max(now_us, answers[next]) + late_us;
    answers.push_back(answer_us(schedule, now_us, batch));
  }
  return static_cast<double>(flushes * batch) / answers.back() * 1e6;
}

TEST(MockSchedule, DeliversItsRateWithinOnePercentHoweverLateTimersFire) {
  for (const int flights : {1, 2, 100}) {
    for (const double late_us : {0.0, 60.0, 200.0}) {
      for (const double limit : {333.0, 10'000.0, 70'000.0}) {
        EXPECT_NEAR(delivered_per_sec(limit, flights, 50, late_us) / limit, 1, 0.01)
            << flights << " flights, " << late_us << " us late, " << limit << " records/s";
      }
    }
  }
}

TEST(MockSchedule, JitterIsSpreadEvenlyOnTopOfTheDelay) {
  MockSchedule schedule({.delay_us = 5'000, .jitter_us = 1'000});
  const int flushes = 10'000;
  double least = 1e9;
  double most = 0;
  double sum = 0;
  for (int i = 0; i < flushes; ++i) {
    const double took_us = answer_us(schedule, 0, 1);
    least = std::min(least, took_us);
    most = std::max(most, took_us);
    sum += took_us;
  }
  EXPECT_GE(least, 5'000);
  EXPECT_LT(least, 5'010);
  EXPECT_LT(most, 6'000);
  EXPECT_GT(most, 5'990);
  EXPECT_NEAR(sum / flushes, 5'500, 15);
}

TEST(MockSchedule, TheSeedFixesJitterAndErrors) {
  const MockSchedule::Behaviour behaviour{.jitter_us = 1'000, .error_rate = 0.5, .seed = 3};
  MockSchedule one(behaviour);
  MockSchedule same(behaviour);
  MockSchedule::Behaviour other_behaviour = behaviour;
  other_behaviour.seed = 4;
  MockSchedule other(other_behaviour);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto answer = one.answer(i, 1);
    const auto same_answer = same.answer(i, 1);
    EXPECT_EQ(same_answer.at_us, answer.at_us);
    EXPECT_EQ(same_answer.failed, answer.failed);
    differs = differs || other.answer(i, 1).at_us != answer.at_us;
  }
  EXPECT_TRUE(differs);
}

TEST(MockSchedule, JitterTurnedOnLeavesTheErrorsWhereTheyWere) {
  MockSchedule even({.error_rate = 0.3});
  MockSchedule jittery({.jitter_us = 9'000, .error_rate = 0.3});
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(jittery.answer(i, 1).failed, even.answer(i, 1).failed) << i;
}

double failed_share(double error_rate) {
  MockSchedule schedule({.error_rate = error_rate});
  int failed = 0;
  for (int i = 0; i < 20'000; ++i) failed += schedule.answer(i, 1).failed ? 1 : 0;
  return failed / 20'000.0;
}

TEST(MockSchedule, TheErrorRateIsTheShareOfAttempts) {
  EXPECT_EQ(failed_share(0), 0);
  EXPECT_EQ(failed_share(1), 1);
  EXPECT_NEAR(failed_share(0.1), 0.1, 0.01);
}

TEST(MockSchedule, AFailedAttemptTakesItsTimeAndNothingOfTheServers) {
  MockSchedule schedule({.delay_us = 2'000, .error_rate = 0.5, .records_per_sec_max = 1'000});
  double landed_us = 99'000;  // now, less the slack
  int failures = 0;
  for (int i = 0; i < 100; ++i) {
    const auto answer = schedule.answer(100'000, 10);
    if (answer.failed) {
      ++failures;
      EXPECT_EQ(answer.at_us, 102'000);
    } else {
      landed_us += 10'000;
      EXPECT_EQ(answer.at_us, landed_us + 2'000);
    }
  }
  EXPECT_GT(failures, 20);
  EXPECT_LT(failures, 80);
}

TEST(MockSchedule, NothingIsAnsweredInAStall) {
  MockSchedule schedule({.delay_us = 100, .stalls = {{1'000, 3'000}}});
  schedule.start(50'000);
  EXPECT_EQ(answer_us(schedule, 50'500, 1), 50'600);
  EXPECT_EQ(answer_us(schedule, 50'900, 1), 53'000);  // due as it begins: the first thing after it
  EXPECT_EQ(answer_us(schedule, 50'950, 1), 53'050);  // the half that was left
  EXPECT_EQ(answer_us(schedule, 52'000, 1), 53'100);
  EXPECT_EQ(answer_us(schedule, 53'000, 1), 53'100);
}

TEST(MockSchedule, WithoutADelayAFlushInAStallIsAnsweredAtItsEnd) {
  MockSchedule schedule({.stalls = {{1'000, 3'000}}});
  schedule.start(0);
  EXPECT_EQ(answer_us(schedule, 999, 1), 999);
  EXPECT_EQ(answer_us(schedule, 1'000, 1), 3'000);
  EXPECT_EQ(answer_us(schedule, 2'999, 1), 3'000);
  EXPECT_EQ(answer_us(schedule, 3'000, 1), 3'000);
}

TEST(MockSchedule, AStallFailsNothingButKeepsErrorsToo) {
  MockSchedule schedule({.error_rate = 1, .stalls = {{1'000, 3'000}}});
  schedule.start(0);
  EXPECT_EQ(answer_us(schedule, 2'000, 1), 3'000);
}

TEST(MockSchedule, WhatTheServerCouldHaveTakenInDuringAStallIsLost) {
  MockSchedule schedule({.records_per_sec_max = 1'000, .stalls = {{100'000, 200'000}}});
  schedule.start(0);
  // 50 ms of work before the stall, 100 ms after it.
  EXPECT_EQ(answer_us(schedule, 51'000, 150), 300'000);
  EXPECT_EQ(answer_us(schedule, 150'000, 10), 310'000);
}

TEST(MockSchedule, StallsMayComeInAnyOrderAndOverlap) {
  MockSchedule schedule({.stalls = {{5'000, 6'000}, {1'000, 3'000}, {1'500, 2'000}, {3'000, 4'000}}});
  schedule.start(0);
  EXPECT_EQ(answer_us(schedule, 1'200, 1), 4'000);
  EXPECT_EQ(answer_us(schedule, 4'500, 1), 4'500);
  EXPECT_EQ(answer_us(schedule, 5'000, 1), 6'000);
  EXPECT_EQ(answer_us(schedule, 9'000, 1), 9'000);
}

TEST(MockSchedule, StallsCountFromTheLoadsStart) {
  MockSchedule schedule({.stalls = {{0, 1'000}}});
  EXPECT_EQ(answer_us(schedule, 500, 1), 500);  // not begun: no stall
  schedule.start(7'000);
  EXPECT_EQ(answer_us(schedule, 7'000, 1), 8'000);
}

}  // namespace
}  // namespace walstorm::consumer
