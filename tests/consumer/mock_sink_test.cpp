#include "consumer/mock_sink.h"

#include <gtest/gtest.h>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "consumer/mock_schedule.h"

namespace walstorm::consumer {
namespace {

TEST(MockSchedule, WithoutALimitEveryFlushTakesTheDelay) {
  MockSchedule schedule(5'000, 0);
  EXPECT_EQ(schedule.answer_at_us(10'000, 1'000), 15'000);
  EXPECT_EQ(schedule.answer_at_us(10'000, 1'000), 15'000);
}

TEST(MockSchedule, ConcurrentFlushesShareOneServer) {
  MockSchedule schedule(0, 1'000);                         // a record per millisecond
  EXPECT_EQ(schedule.answer_at_us(100'000, 10), 109'000);  // less the slack
  EXPECT_EQ(schedule.answer_at_us(100'000, 10), 119'000);
  EXPECT_EQ(schedule.answer_at_us(100'000, 10), 129'000);
}

TEST(MockSchedule, TheDelayIsNotTheServersTime) {
  MockSchedule schedule(50'000, 1'000);
  (void)schedule.answer_at_us(100'000, 10);
  EXPECT_EQ(schedule.answer_at_us(100'000, 10), 169'000);
}

TEST(MockSchedule, IdlenessIsNotSavedUp) {
  MockSchedule schedule(0, 1'000);
  (void)schedule.answer_at_us(100'000, 10);
  EXPECT_EQ(schedule.answer_at_us(10'000'000, 10), 10'009'000);
}

/// Records per second that a reader gets done which has `flights` flushes under way, hears of each answer
/// `late_us` after it is due and sends the next at once.
double delivered_per_sec(double limit, int flights, std::uint64_t batch, double late_us) {
  MockSchedule schedule(0, limit);
  std::vector<double> answers;
  double now_us = 0;
  for (int i = 0; i < flights; ++i) answers.push_back(schedule.answer_at_us(now_us, batch));
  const std::size_t flushes = 20'000;
  for (std::size_t next = 0; answers.size() < flushes; ++next) {
    now_us = std::max(now_us, answers[next]) + late_us;
    answers.push_back(schedule.answer_at_us(now_us, batch));
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

struct Rig {
  explicit Rig(double delay_ms, double records_per_sec_max = 0)
      : sink(loop, clock, meter, setup_of(delay_ms, records_per_sec_max)) {
    batch.block.reset(std::make_shared<const BlockLayout>());
    for (int i = 0; i < 10; ++i) batch.changes.add_insert(1);
  }
  static proto::MockSinkSetup setup_of(double delay_ms, double records_per_sec_max) {
    proto::MockSinkSetup setup;
    setup.set_delay_ms(delay_ms);
    setup.set_records_per_sec_max(records_per_sec_max);
    return setup;
  }

  boost::asio::io_context loop;
  wire::SystemClock clock;
  BusyMeter meter{clock};
  MockSink sink;
  Batch batch;
};

TEST(MockSink, AnswersFromTheLoopAndNotFromWithinSubmit) {
  Rig rig(0);
  int answers = 0;
  rig.sink.submit(rig.batch, [&] { ++answers; });
  EXPECT_EQ(answers, 0);
  rig.loop.run();
  EXPECT_EQ(answers, 1);
}

TEST(MockSink, AnAnswerMaySubmitTheNextBatch) {
  Rig rig(0);
  int answers = 0;
  std::function<void()> again = [&] {
    if (++answers < 1000) rig.sink.submit(rig.batch, again);
  };
  rig.sink.submit(rig.batch, again);
  rig.loop.run();
  EXPECT_EQ(answers, 1000);
}

TEST(MockSink, AnswersInOrderAndNotBeforeTheDelay) {
  Rig rig(20);
  std::vector<int> order;
  const std::int64_t began_us = rig.clock.steady_us();
  for (int i = 0; i < 3; ++i) rig.sink.submit(rig.batch, [&order, i] { order.push_back(i); });
  rig.loop.run();
  EXPECT_GE(rig.clock.steady_us() - began_us, 20'000);
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(MockSink, ACapHoldsInRealTime) {
  Rig rig(0, 10'000);
  int answers = 0;
  std::function<void()> again = [&] {
    if (++answers < 200) rig.sink.submit(rig.batch, again);
  };
  const std::int64_t began_us = rig.clock.steady_us();
  rig.sink.submit(rig.batch, again);
  rig.loop.run();
  // 2,000 records at 10,000/s. No upper bound: that would be a test of how busy the machine is.
  EXPECT_GE(rig.clock.steady_us() - began_us, 198'000);
}

}  // namespace
}  // namespace walstorm::consumer
