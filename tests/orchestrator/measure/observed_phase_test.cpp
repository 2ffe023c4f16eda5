// What PhaseFold makes of the looks at the server, over the phases of a run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/measure/fold/phase_fold.h"

namespace walstorm::measure::test {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::Pair;

constexpr std::int64_t kStartUnixUs = 1'700'000'000'000'000;

std::int64_t at(int sec) {
  return kStartUnixUs + sec * std::int64_t{1'000'000};
}

PhaseFacts facts(CarryOver carry_over = {}) {
  PhaseFacts facts;
  facts.phase = {
      .name = "p", .duration_sec = 10, .load = config::ConstantLoad{1000}, .records = {}, .warmup = false};
  facts.producers = {{"producer-0", {}}};
  facts.consumers = {{"consumer-0", {}}};
  facts.carry_over = std::move(carry_over);
  return facts;
}

void ready(PhaseFold& fold, int sec) {
  proto::PhaseReady ready;
  ready.set_at_unix_us(at(sec));
  fold.ready("consumer-0", ready);
  fold.ready("producer-0", ready);
}

proto::Sample rungs(int sec, std::uint64_t received, std::uint64_t flushed) {
  proto::Sample sample;
  sample.set_taken_unix_us(at(sec));
  sample.mutable_consumer()->set_received_lsn(received);
  sample.mutable_consumer()->set_flushed_lsn(flushed);
  return sample;
}

LadderSample head_at(int sec, std::uint64_t head) {
  return {at(sec), wire::Lsn{head}, wire::Lsn{head}, wire::Lsn{1000}};
}

TEST(ObservedPhase, HasTheLadderOfEachSecondAndOfAllOfThem) {
  PhaseFold fold(facts());
  ready(fold, 0);
  fold.ladder(head_at(0, 1000));
  for (int sec = 1; sec <= 3; ++sec) {
    const std::uint64_t head = 1000 + static_cast<std::uint64_t>(sec) * 1000;
    fold.ladder(head_at(sec, head));
    fold.sample("consumer-0", rungs(sec, head, 1000));
    const Second second = fold.close_second(at(sec));
    EXPECT_EQ(second.received_to_flushed_bytes, head - 1000);
    EXPECT_THAT(second.received_to_flushed_sec, Optional(DoubleNear(sec, 1e-6)));
    EXPECT_EQ(second.head_to_sent_sec, 0);
  }
  const LadderReport ladder = fold.settle(Outcome::passed).ladder;
  EXPECT_EQ(ladder.received_to_flushed.bytes.min, 1000);
  EXPECT_THAT(ladder.received_to_flushed.sec.end, Optional(DoubleNear(3, 1e-6)));
}

TEST(ObservedPhase, KnowsHowOldTheBacklogOfThePhaseBeforeIs) {
  PhaseFold first(facts());
  for (int sec = 0; sec <= 5; ++sec)
    first.ladder(head_at(sec, 1000 + static_cast<std::uint64_t>(sec) * 1000));
  PhaseFold second(facts(first.carry_over()));
  second.ladder(head_at(6, 6000));
  second.sample("consumer-0", rungs(6, 6000, 2000));
  EXPECT_THAT(second.close_second(at(6)).received_to_flushed_sec, Optional(DoubleNear(5, 1e-6)));
}

TEST(ObservedPhase, SurvivesAHeadThatFallsInACrash) {
  PhaseFold fold(facts());
  fold.ladder(head_at(0, 9000));
  fold.ladder(head_at(1, 5000));
  fold.sample("consumer-0", rungs(1, 5000, 4000));
  EXPECT_EQ(fold.close_second(at(1)).received_to_flushed_bytes, 1000);
}

TEST(ObservedPhase, SharesOutTheWaitsOfTheLoadAlone) {
  const auto look = [](int sec, const char* wait) {
    ServerLook made;
    made.at_unix_us = at(sec);
    made.wal_status = "unreserved";
    made.walsender_state = "streaming";
    made.walsender_wait = wait;
    return made;
  };
  PhaseFold fold(facts());
  fold.server(look(0, "before"));
  ready(fold, 1);
  fold.server(look(2, "running"));
  fold.server(look(3, "Client:WalSenderWriteData"));
  EXPECT_EQ(fold.close_second(at(3)).walsender_wait, "Client:WalSenderWriteData");
  fold.load_ended(at(4));
  fold.server(look(5, "after"));
  const PhaseReport report = fold.settle(Outcome::passed);
  EXPECT_THAT(report.postgres.walsender_waits,
              ElementsAre(Pair("Client:WalSenderWriteData", 0.5), Pair("running", 0.5)));
  EXPECT_THAT(report.notes, testing::Contains(HasSubstr("max_slot_wal_keep_size")));
}

}  // namespace
}  // namespace walstorm::measure::test
