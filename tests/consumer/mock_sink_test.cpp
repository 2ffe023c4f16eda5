#include "consumer/sink/mock_sink.h"

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "consumer/encode/block_form.h"

namespace walstorm::consumer {
namespace {

proto::MockSinkSetup setup_of(double delay_ms) {
  proto::MockSinkSetup setup;
  setup.set_delay_ms(delay_ms);
  return setup;
}

struct Rig {
  explicit Rig(const proto::MockSinkSetup& setup, proto::Compression compression = proto::COMPRESSION_NONE)
      : sink(loop, clock, meter, BlockForm{}, compression, setup) {
    BlockLayout columns;
    columns.columns = {{"id", ColumnKind::string, false, 25}, {"row_hash", ColumnKind::hash, false, 20}};
    columns.row_hash = 1;
    batch.block->reset(std::make_shared<const BlockLayout>(columns));
    const std::string id(1'000, 'i');
    const std::vector<Value> row{{ValueKind::text, id}, {ValueKind::text, "1"}};
    for (int i = 0; i < 10; ++i) {
      batch.block->append({.values = row});
      batch.changes.add_insert(1);
    }
  }

  boost::asio::io_context loop;
  wire::SystemClock clock;
  BusyMeter meter{clock};
  MockSink sink;
  Batch batch{make_block({})};
};

TEST(MockSink, AnswersFromTheLoopAndNotFromWithinSubmit) {
  Rig rig(setup_of(0));
  int answers = 0;
  rig.sink.submit(rig.batch, [&](const Landing&) { ++answers; });
  EXPECT_EQ(answers, 0);
  rig.loop.run();
  EXPECT_EQ(answers, 1);
}

TEST(MockSink, AnAnswerMaySubmitTheNextBatch) {
  Rig rig(setup_of(0));
  int answers = 0;
  Sink::Done again = [&](const Landing&) {
    if (++answers < 1000) rig.sink.submit(rig.batch, again);
  };
  rig.sink.submit(rig.batch, again);
  rig.loop.run();
  EXPECT_EQ(answers, 1000);
}

TEST(MockSink, AnswersInOrderAndNotBeforeTheDelay) {
  Rig rig(setup_of(20));
  std::vector<int> order;
  const std::int64_t began_us = rig.clock.steady_us();
  for (int i = 0; i < 3; ++i) rig.sink.submit(rig.batch, [&order, i](const Landing&) { order.push_back(i); });
  rig.loop.run();
  EXPECT_GE(rig.clock.steady_us() - began_us, 20'000);
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(MockSink, ACapHoldsInRealTime) {
  proto::MockSinkSetup setup;
  setup.set_records_per_sec_max(10'000);
  Rig rig(setup);
  int answers = 0;
  Sink::Done again = [&](const Landing&) {
    if (++answers < 200) rig.sink.submit(rig.batch, again);
  };
  const std::int64_t began_us = rig.clock.steady_us();
  rig.sink.submit(rig.batch, again);
  rig.loop.run();
  // 2,000 records at 10,000/s. No upper bound: that would be a test of how busy the machine is.
  EXPECT_GE(rig.clock.steady_us() - began_us, 198'000);
}

TEST(MockSink, JitterTurnsAnswersRoundAndLosesNone) {
  proto::MockSinkSetup setup;
  setup.set_jitter_ms(30);
  Rig rig(setup);
  std::vector<int> order;
  const int flushes = 50;
  for (int i = 0; i < flushes; ++i) {
    rig.sink.submit(rig.batch, [&order, i](const Landing&) { order.push_back(i); });
  }
  rig.loop.run();
  ASSERT_EQ(order.size(), static_cast<std::size_t>(flushes));
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(std::unique(order.begin(), order.end()), order.end());
}

TEST(MockSink, ALaterFlushThatIsDueEarlierDoesNotWaitForTheOneBefore) {
  proto::MockSinkSetup setup;
  setup.set_jitter_ms(60'000);
  setup.set_seed(5);
  Rig rig(setup);
  // Of 1,000 answers some are due within a second, though the first is not.
  ASSERT_GT(MockSchedule({.jitter_us = 60e6, .seed = setup.seed()}).answer(0, 10).at_us, 20e6);
  int answers = 0;
  for (int i = 0; i < 1'000; ++i) {
    rig.sink.submit(rig.batch, [&](const Landing&) {
      if (++answers == 1) rig.loop.stop();
    });
  }
  rig.loop.run_for(std::chrono::seconds(20));
  EXPECT_GE(answers, 1);
}

TEST(MockSink, AnErrorOnOrderSaysSoAndTheBatchIsPaidForAllTheSame) {
  proto::MockSinkSetup setup;
  setup.set_error_rate(1);
  Rig rig(setup, proto::COMPRESSION_LZ4);
  std::optional<Landing> answer;
  rig.sink.submit(rig.batch, [&](const Landing& landing) { answer = landing; });
  rig.loop.run();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, "an error on order (consumer.mock.errorRate)");
  EXPECT_GT(answer->encoded_bytes, 10'000U);
  EXPECT_GT(answer->wire_bytes, 0U);
  EXPECT_LT(answer->wire_bytes, 1'000U);  // really compressed: it is one letter
}

TEST(MockSink, WithoutCompressionWhatIsSentIsWhatIsEncoded) {
  Rig rig(setup_of(0));
  std::optional<Landing> answer;
  rig.sink.submit(rig.batch, [&](const Landing& landing) { answer = landing; });
  rig.loop.run();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, "");
  EXPECT_EQ(answer->wire_bytes, answer->encoded_bytes);
}

TEST(MockSink, AStallHoldsTheAnswersFromTheLoadsStartOn) {
  proto::MockSinkSetup setup;
  proto::MockStall& stall = *setup.add_stalls();
  stall.set_at_sec(0);
  stall.set_duration_sec(0.05);
  Rig rig(setup);
  const std::int64_t began_us = rig.clock.steady_us();
  rig.sink.load_starts();
  int answers = 0;
  for (int i = 0; i < 3; ++i) rig.sink.submit(rig.batch, [&](const Landing&) { ++answers; });
  rig.loop.run();
  EXPECT_EQ(answers, 3);
  EXPECT_GE(rig.clock.steady_us() - began_us, 50'000);
}

}  // namespace
}  // namespace walstorm::consumer
