#include "orchestrator/measure/fold/clock_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/measure/fold/phase_fold.h"

namespace walstorm::measure::test {
namespace {

constexpr std::int64_t kStartUnixUs = 1'700'000'000'000'000;
constexpr std::int64_t kSecondUs = 1'000'000;

/// A producer's frames, 1,000 records a second from the start on, by a clock that is `ahead_us` ahead.
proto::MetricsFrame ready(std::int64_t ahead_us) {
  proto::MetricsFrame frame;
  frame.mutable_phase_ready()->set_at_unix_us(kStartUnixUs + ahead_us);
  return frame;
}

proto::MetricsFrame producer(int sec, std::int64_t ahead_us, bool is_result) {
  proto::MetricsFrame frame;
  const auto fill = [&](auto& body) {
    body.set_taken_unix_us(kStartUnixUs + sec * kSecondUs + ahead_us);
    proto::ProducerStats& stats = *body.mutable_producer();
    stats.mutable_produced()->set_inserts(static_cast<std::uint64_t>(sec) * 1000);
    stats.set_load_started_unix_us(kStartUnixUs + ahead_us);
    if (sec > 0) stats.set_last_commit_unix_us(kStartUnixUs + sec * kSecondUs + ahead_us);
  };
  if (is_result) {
    fill(*frame.mutable_phase_result());
  } else {
    fill(*frame.mutable_sample());
  }
  return frame;
}

proto::MetricsFrame consumer(int sec, std::int64_t ahead_us, bool is_result) {
  proto::MetricsFrame frame;
  const auto fill = [&](auto& body) {
    body.set_taken_unix_us(kStartUnixUs + sec * kSecondUs + ahead_us);
    const auto records = static_cast<std::uint64_t>(sec) * 1000;
    proto::ConsumerStats& stats = *body.mutable_consumer();
    for (auto* tally : {stats.mutable_received(), stats.mutable_run_received(), stats.mutable_acknowledged(),
                        stats.mutable_run_acknowledged()}) {
      tally->set_inserts(records);
    }
  };
  if (is_result) {
    fill(*frame.mutable_phase_result());
  } else {
    fill(*frame.mutable_sample());
  }
  return frame;
}

PhaseReport report_of_phase(std::int64_t producer_ahead_us, std::int64_t consumer_ahead_us) {
  PhaseFacts facts;
  facts.phase = {
      .name = "p", .duration_sec = 4, .load = config::ConstantLoad{1000}, .records = {}, .warmup = false};
  facts.expected_records = 4000;
  facts.producers = {{"producer-0", {}}};
  facts.consumers = {{"consumer-0", {}}};
  PhaseFold fold(facts);
  ClockBook clocks;
  clocks.own({0, 50});
  clocks.worker("producer-0", {producer_ahead_us, 50});
  clocks.worker("consumer-0", {consumer_ahead_us, 50});
  const auto take = [&](const char* worker, const proto::MetricsFrame& sent) {
    const proto::MetricsFrame frame = clocks.on_own_clock(worker, sent).value_or(sent);
    if (frame.has_phase_ready()) fold.ready(worker, frame.phase_ready());
    if (frame.has_sample()) fold.sample(worker, frame.sample());
    if (frame.has_phase_result()) fold.result(worker, frame.phase_result());
  };
  take("consumer-0", ready(consumer_ahead_us));
  take("producer-0", ready(producer_ahead_us));
  for (int sec = 0; sec <= 4; ++sec) {
    take("producer-0", producer(sec, producer_ahead_us, sec == 4));
    take("consumer-0", consumer(sec, consumer_ahead_us, sec == 4));
  }
  fold.load_ended(kStartUnixUs + 4 * kSecondUs);
  fold.drain_ended(true, 0.1);
  return fold.settle(Outcome::passed);
}

TEST(ClockBook, GivesTheFiguresOfOneClockWhateverTheWorkersClocksShow) {
  const PhaseReport plain = report_of_phase(0, 0);
  ASSERT_TRUE(plain.consumer.throughput);
  EXPECT_NEAR(*plain.consumer.throughput, 1000, 1);
  EXPECT_NEAR(*plain.producer.throughput, 1000, 1);
  for (const std::int64_t ahead_us : {-90 * kSecondUs, 90 * kSecondUs}) {
    const PhaseReport skewed = report_of_phase(ahead_us, -ahead_us);
    EXPECT_EQ(skewed.started_at_unix_us, kStartUnixUs);
    EXPECT_EQ(skewed.duration_sec, plain.duration_sec);
    EXPECT_EQ(skewed.producer.throughput, plain.producer.throughput);
    EXPECT_EQ(skewed.producer.target_ratio, plain.producer.target_ratio);
    EXPECT_EQ(skewed.consumer.throughput, plain.consumer.throughput);
    EXPECT_EQ(skewed.verdict.state, plain.verdict.state);
  }
}

TEST(ClockBook, LeavesFramesAloneThatNeedNoCorrection) {
  ClockBook clocks;
  EXPECT_EQ(clocks.on_own_clock("producer-0", ready(0)), std::nullopt);
  clocks.worker("producer-0", {90 * kSecondUs, 50});
  EXPECT_EQ(clocks.on_own_clock("producer-0", ready(0)), std::nullopt) << "our own clock is not known";
  clocks.own({90 * kSecondUs - 60, 50});
  EXPECT_EQ(clocks.on_own_clock("producer-0", ready(0)), std::nullopt) << "the same within the errors";
  clocks.own({0, 50});
  EXPECT_TRUE(clocks.on_own_clock("producer-0", ready(0)));
  EXPECT_EQ(clocks.on_own_clock("producer-1", ready(0)), std::nullopt) << "never compared";
}

TEST(ClockBook, MovesNoTimeThatIsNotThereYet) {
  ClockBook clocks;
  clocks.own({0, 50});
  clocks.worker("producer-0", {90 * kSecondUs, 50});
  const auto moved = clocks.on_own_clock("producer-0", producer(0, 90 * kSecondUs, false));
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->sample().producer().last_commit_unix_us(), 0);
  EXPECT_EQ(moved->sample().producer().load_started_unix_us(), kStartUnixUs);
}

TEST(ClockBook, ReportsEveryClockThatWasCompared) {
  ClockBook clocks;
  EXPECT_TRUE(clocks.reports().empty());
  clocks.worker("producer-0", {5, 50});
  clocks.worker("consumer-0", {-700, 60});
  clocks.worker("producer-0", {6, 40});
  clocks.own({1, 30});
  const auto reports = clocks.reports();
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[0].role, "orchestrator");
  EXPECT_EQ(reports[1].role, "consumer-0");
  EXPECT_EQ(reports[1].ahead_us, -700);
  EXPECT_EQ(reports[2].ahead_us, 6) << "the newest comparison";
  EXPECT_EQ(reports[2].error_us, 40);
}

TEST(ClockBook, SaysWhoseClockMovedWhileThePhaseWasOn) {
  ClockBook before;
  before.own({10, 20});
  before.worker("consumer-0", {14, 20});
  ClockBook after = before;
  EXPECT_TRUE(after.moved_since(before).empty());
  after.own({2'000, 1'500});  // within what both comparisons, and drifting, may be off by
  after.worker("consumer-0", {-3'000'000, 20});
  after.worker("producer-0", {9'000'000, 20});  // never compared before
  const auto notes = after.moved_since(before);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("consumer-0's wall clock and PostgreSQL's moved 3.000 s apart"), std::string::npos)
      << notes[0];
}

TEST(WallClocks, ThatWereSetAreToldByProcess) {
  EXPECT_EQ(wall_clocks_set_text({{"consumer-0", 0}, {"orchestrator", 0}}), "");
  const std::string text = wall_clocks_set_text({{"consumer-0", -3'000'000}, {"producer-0", 0}});
  EXPECT_NE(text.find("consumer-0's back by 3.000 s. Rates"), std::string::npos) << text;
}

}  // namespace
}  // namespace walstorm::measure::test
