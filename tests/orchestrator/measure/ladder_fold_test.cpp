#include "orchestrator/measure/fold/ladder_fold.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walstorm::measure::test {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

constexpr std::int64_t kStartUnixUs = 1'700'000'000'000'000;
constexpr double kSecondUs = 1e6;

std::int64_t at(double sec) {
  return kStartUnixUs + static_cast<std::int64_t>(sec * kSecondUs);
}

/// When `head` passed `position`, in seconds since the start.
std::optional<double> passed_sec(const HeadCurve& head, std::uint64_t position) {
  const auto passed = head.passed_unix_us({position});
  if (!passed) return std::nullopt;
  return (*passed - static_cast<double>(kStartUnixUs)) / kSecondUs;
}

LadderSample sample(double sec, std::uint64_t head, std::uint64_t sent, std::uint64_t confirmed) {
  return {at(sec), wire::Lsn{head}, wire::Lsn{sent}, wire::Lsn{confirmed}};
}

ConsumerRungs rungs(std::uint64_t received, std::uint64_t flushed) {
  return {wire::Lsn{received}, wire::Lsn{flushed}};
}

TEST(HeadCurve, KnowsNothingWithoutAReading) {
  EXPECT_EQ(HeadCurve().passed_unix_us({1}), std::nullopt);
}

TEST(HeadCurve, ReadsAMovingHeadBetweenTwoReadings) {
  HeadCurve head;
  head.add(at(0), {1000});
  head.add(at(1), {2000});
  head.add(at(2), {4000});
  EXPECT_THAT(passed_sec(head, 1500), Optional(DoubleNear(0.5, 1e-6)));
  EXPECT_THAT(passed_sec(head, 3000), Optional(DoubleNear(1.5, 1e-6)));
  EXPECT_THAT(passed_sec(head, 500), Optional(DoubleNear(0, 1e-6))) << "before the first reading";
  EXPECT_THAT(passed_sec(head, 9000), Optional(DoubleNear(2, 1e-6))) << "not passed yet";
}

TEST(HeadCurve, TakesTheMomentAtWhichAHeadThatStoodStillMovedOn) {
  HeadCurve head;
  head.add(at(0), {1000});
  for (int sec = 1; sec <= 20; ++sec) head.add(at(sec), {2000});
  EXPECT_THAT(passed_sec(head, 2000), Optional(DoubleNear(20, 1e-6))) << "not passed yet";
  head.add(at(21), {2100});
  EXPECT_THAT(passed_sec(head, 2000), Optional(DoubleNear(20, 1e-6)))
      << "a byte written after 20 quiet seconds is not 20 s old";
}

TEST(HeadCurve, ForgetsWhatAServerForgotInACrash) {
  HeadCurve head;
  head.add(at(0), {1000});
  head.add(at(1), {2000});
  head.add(at(2), {3000});
  head.add(at(5), {2500});  // synchronous_commit off
  EXPECT_THAT(passed_sec(head, 2000), Optional(DoubleNear(1, 1e-6)));
  EXPECT_THAT(passed_sec(head, 2800), Optional(DoubleNear(5, 1e-6))) << "those bytes are not written yet";
  head.add(at(6), {3500});
  EXPECT_THAT(passed_sec(head, 3000), Optional(DoubleNear(5.5, 1e-6)));
}

TEST(HeadCurve, StaysTrueAndSmallOverADay) {
  HeadCurve head;
  constexpr int kSeconds = 86'400;
  for (int sec = 0; sec <= kSeconds; ++sec) head.add(at(sec), {1000 + static_cast<std::uint64_t>(sec) * 100});
  for (const int sec : {10, 40'000, kSeconds - 1}) {
    EXPECT_THAT(passed_sec(head, 1000 + static_cast<std::uint64_t>(sec) * 100),
                Optional(DoubleNear(sec, 1e-3)));
  }
}

TEST(HeadCurve, TellsTheAgeOfABacklogToASecondAfterADayOfAnUnevenLoad) {
  HeadCurve head;
  constexpr int kDaySec = 86'400;
  // 1,000 bytes in one second of nine, 10 in the others: nothing that a straight line over some seconds fits.
  const auto position = [](int sec) { return static_cast<std::uint64_t>(sec / 9 * 1'080 + sec % 9 * 10); };
  for (int sec = 0; sec <= kDaySec; ++sec) head.add(at(sec), {1000 + position(sec)});
  for (const int age : {2, 20, 600, 7'000}) {
    const int then = kDaySec - age;
    EXPECT_THAT(passed_sec(head, 1000 + position(then)), Optional(DoubleNear(then, 1))) << age;
  }
  for (const int age : {20'000, 43'200, 86'000}) {
    const int then = kDaySec - age;
    EXPECT_THAT(passed_sec(head, 1000 + position(then)), Optional(DoubleNear(then, 1 + age / 4'000.0)))
        << age;
  }
  EXPECT_LT(head.size(), 40'000U);
}

TEST(HeadCurve, StaysSmallOverAMonth) {
  HeadCurve head;
  for (int sec = 0; sec <= 30 * 86'400; ++sec) head.add(at(sec), {1000 + static_cast<std::uint64_t>(sec)});
  EXPECT_LT(head.size(), 70'000U);
}

TEST(LadderFold, MeasuresAStalledSinkInBytesAndSeconds) {
  LadderFold fold{HeadCurve{}};
  for (int sec = 0; sec <= 8; ++sec) {
    const std::uint64_t head = 10'000 + static_cast<std::uint64_t>(sec) * 1000;
    // The sink stood still from 3 s on; all else keeps up.
    const std::uint64_t flushed = std::min<std::uint64_t>(head, 13'000);
    fold.take(sample(sec, head, head, flushed));
    const LadderDistances now = fold.close_second(rungs(head, flushed));
    const double stalled_sec = std::max(0, sec - 3);
    EXPECT_EQ(now.head_to_sent.bytes, 0);
    EXPECT_EQ(now.head_to_sent.sec, 0);
    EXPECT_EQ(now.sent_to_received.sec, 0);
    EXPECT_EQ(now.received_to_flushed.bytes, static_cast<std::uint64_t>(stalled_sec * 1000));
    EXPECT_THAT(now.received_to_flushed.sec, Optional(DoubleNear(stalled_sec, 1e-6)));
    EXPECT_EQ(now.flushed_to_confirmed.sec, 0);
  }
  fold.take(sample(9, 19'000, 19'000, 19'000));
  (void)fold.close_second(rungs(19'000, 19'000));
  const Rung rung = fold.report({}).received_to_flushed;
  EXPECT_EQ(rung.bytes.min, 0);
  EXPECT_EQ(rung.bytes.max, 5000);
  EXPECT_EQ(rung.bytes.end, 0);
  EXPECT_EQ(rung.sec.min, 0);
  EXPECT_THAT(rung.sec.max, Optional(DoubleNear(5, 1e-6)));
  EXPECT_EQ(rung.sec.end, 0);
}

TEST(LadderFold, HasAFloorOnAnIdlePipe) {
  // Every 15 s the server notes its running transactions, 56 bytes which nobody publishes: sent at once, and
  // confirmed with the status message after.
  LadderFold fold{HeadCurve{}};
  for (int sec = 0; sec < 60; ++sec) {
    const auto notes = static_cast<std::uint64_t>(sec / 15);
    const std::uint64_t head = 10'000 + notes * 56;
    const bool just_now = sec >= 15 && sec % 15 == 0;
    fold.take(sample(sec, head, head, just_now ? head - 56 : head));
    (void)fold.close_second(rungs(head, just_now ? head - 56 : head));
  }
  const LadderReport report = fold.report({});
  EXPECT_EQ(report.received_to_flushed.bytes.min, 0);
  EXPECT_EQ(report.received_to_flushed.bytes.max, 56);
  EXPECT_LE(report.received_to_flushed.sec.max, 1.0) << "not the age of the quiet time before";
  EXPECT_EQ(report.received_to_flushed.sec.end, 0);
}

TEST(LadderFold, KnowsTheAgeOfAnEarlierPhasesBacklog) {
  LadderFold before{HeadCurve{}};
  for (int sec = 0; sec <= 10; ++sec) {
    before.take(sample(sec, 1000 + static_cast<std::uint64_t>(sec) * 1000, 0, 0));
    (void)before.close_second({});
  }
  LadderFold fold(before.head());
  fold.take(sample(11, 11'000, 4000, 4000));
  const LadderDistances now = fold.close_second(rungs(4000, 4000));
  EXPECT_THAT(now.head_to_sent.sec, Optional(DoubleNear(8, 1e-6)));
  EXPECT_EQ(now.head_to_sent.bytes, 7000);
}

TEST(LadderFold, LeavesOutWhatWasNotSeen) {
  LadderFold fold{HeadCurve{}};
  EXPECT_EQ(fold.close_second({}).head_to_sent.bytes, std::nullopt);
  fold.take({at(0), wire::Lsn{5000}, std::nullopt, std::nullopt});  // no walsender
  LadderDistances now = fold.close_second(rungs(4000, 0));
  EXPECT_EQ(now.head_to_sent.bytes, std::nullopt);
  EXPECT_EQ(now.sent_to_received.sec, std::nullopt);
  EXPECT_EQ(now.received_to_flushed.bytes, std::nullopt) << "0 is \"none yet\"";
  now = fold.close_second(rungs(4000, 3000));  // no look at the server in this second
  EXPECT_EQ(now.received_to_flushed.bytes, 1000);
  EXPECT_EQ(now.received_to_flushed.sec, std::nullopt);
  const LadderReport report = fold.report({});
  EXPECT_EQ(report.head_to_sent.bytes.min, std::nullopt);
  EXPECT_EQ(report.received_to_flushed.bytes.end, 1000);
  EXPECT_EQ(report.received_to_flushed.sec.end, std::nullopt);
}

TEST(LadderFold, TakesTheLastLookIntoTheReportThoughNoSecondWasClosedWithIt) {
  LadderFold fold{HeadCurve{}};
  fold.take(sample(0, 5000, 5000, 1000));
  (void)fold.close_second(rungs(5000, 2000));
  fold.take(sample(1, 6000, 6000, 6000));
  const LadderReport report = fold.report(rungs(6000, 6000));
  EXPECT_EQ(report.received_to_flushed.bytes.max, 3000);
  EXPECT_EQ(report.received_to_flushed.bytes.end, 0);
  EXPECT_EQ(report.flushed_to_confirmed.bytes.end, 0);
}

TEST(LadderFold, CallsAPositionSeenLaterThanItsNeighbourNoDistance) {
  LadderFold fold{HeadCurve{}};
  fold.take(sample(0, 5000, 5000, 5000));
  // The consumer's Sample came a moment after the look.
  const LadderDistances now = fold.close_second(rungs(5200, 5200));
  EXPECT_EQ(now.sent_to_received.bytes, 0);
  EXPECT_EQ(now.sent_to_received.sec, 0);
}

}  // namespace
}  // namespace walstorm::measure::test
