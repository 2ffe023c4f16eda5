#include "orchestrator/measure/fold/server_fold.h"

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walstorm::measure::test {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

ServerLook look_with(const std::function<void(ServerLook&)>& change) {
  ServerLook look;
  change(look);
  return look;
}

ServerLook decoded(DecodedTransactions counts) {
  return look_with([&](ServerLook& look) { look.decoded = counts; });
}

ServerLook slot_status(const char* status) {
  return look_with([&](ServerLook& look) { look.wal_status = status; });
}

TEST(ServerFold, ReportsNothingThatWasNotSeen) {
  const PostgresReport report = ServerFold().report();
  EXPECT_EQ(report.wal_status, "");
  EXPECT_EQ(report.safe_wal_bytes_min, std::nullopt);
  EXPECT_EQ(report.spilled_bytes, std::nullopt);
  EXPECT_THAT(report.writer_waits, IsEmpty());
  EXPECT_THAT(ServerFold().notes(), IsEmpty());
}

TEST(ServerFold, CountsWhatThePhaseAddedToTheSlotsStatistics) {
  ServerFold fold;
  fold.take(decoded({5, 500, 1, 100}), false);
  fold.take(decoded({7, 900, 1, 100}), true);
  fold.take(decoded({8, 1000, 3, 400}), false);
  const PostgresReport report = fold.report();
  EXPECT_EQ(report.spilled_transactions, 3);
  EXPECT_EQ(report.spilled_bytes, 500);
  EXPECT_EQ(report.streamed_transactions, 2);
  EXPECT_EQ(report.streamed_bytes, 300);
}

TEST(ServerFold, GoesOnCountingAfterTheStatisticsWereLostInACrash) {
  ServerFold fold;
  fold.take(decoded({5, 500, 0, 0}), true);
  fold.take(decoded({6, 600, 0, 0}), true);
  fold.take(decoded({1, 70, 0, 0}), true);
  EXPECT_EQ(fold.report().spilled_transactions, 2);
  EXPECT_EQ(fold.report().spilled_bytes, 170);
}

TEST(ServerFold, SharesOutTheLooksOfTheLoadAlone) {
  ServerFold fold;
  const auto look = [](const char* state, const char* wait, std::map<std::string, unsigned> writers) {
    return look_with([&](ServerLook& made) {
      made.walsender_state = state;
      made.walsender_wait = wait;
      made.writer_waits = std::move(writers);
    });
  };
  fold.take(look("startup", "running", {{"idle", 4}}), false);
  fold.take(look("catchup", "running", {{"IO:WALSync", 1}, {"idle", 3}}), true);
  fold.take(look("streaming", "Client:WalSenderWriteData", {{"running", 2}, {"idle", 2}}), true);
  fold.take(look("streaming", "Client:WalSenderWriteData", {{"IO:WALSync", 3}, {"running", 1}}), true);
  fold.take(look("", "", {}), true);  // the walsender's connection was lost
  fold.take(look("streaming", "Activity:WalSenderMain", {{"idle", 4}}), false);
  const PostgresReport report = fold.report();
  EXPECT_THAT(report.walsender_states, ElementsAre(Pair("catchup", 0.25), Pair("streaming", 0.5)));
  EXPECT_THAT(report.walsender_waits,
              ElementsAre(Pair("Client:WalSenderWriteData", 0.5), Pair("running", 0.25)));
  EXPECT_THAT(report.writer_waits,
              ElementsAre(Pair("IO:WALSync", DoubleEq(1)), Pair("idle", 1.25), Pair("running", 0.75)));
}

TEST(ServerFold, KeepsTheSlotsWorstStatusAndLeastSafeBytes) {
  ServerFold fold;
  for (const char* status : {"reserved", "extended", "reserved"}) fold.take(slot_status(status), true);
  EXPECT_EQ(fold.report().wal_status, "extended");
  EXPECT_THAT(fold.notes(), IsEmpty()) << "a slot that holds back WAL within its limits loses nothing";
  fold.take(slot_status("unreserved"), true);
  fold.take(slot_status("extended"), true);
  ASSERT_EQ(fold.notes().size(), 1U);
  EXPECT_THAT(fold.notes()[0], HasSubstr("max_slot_wal_keep_size"));
  fold.take(slot_status("lost"), true);
  fold.take(slot_status(""), true);
  EXPECT_EQ(fold.report().wal_status, "lost");
  ASSERT_EQ(fold.notes().size(), 1U);
  EXPECT_THAT(fold.notes()[0], HasSubstr("cannot be read any more"));
  for (const std::uint64_t safe : {900U, 300U, 600U}) {
    fold.take(look_with([&](ServerLook& look) { look.safe_wal_bytes = safe; }), true);
  }
  EXPECT_EQ(fold.report().safe_wal_bytes_min, 300);
}

TEST(ServerFold, ShowsTheWalsenderOfThisSecondAndNoOlderOne) {
  ServerFold fold;
  fold.take(look_with([](ServerLook& look) {
              look.walsender_state = "streaming";
              look.walsender_wait = "running";
            }),
            true);
  Second second;
  fold.close_second(second);
  EXPECT_EQ(second.walsender_state, "streaming");
  EXPECT_EQ(second.walsender_wait, kRunning);
  fold.close_second(second);
  EXPECT_EQ(second.walsender_state, "");
  EXPECT_EQ(second.walsender_wait, "");
}

TEST(ServerFold, TellsAWalsenderThatWaitsForWorkFromOneThatIsHeldUp) {
  EXPECT_TRUE(is_caught_up_wait("Client:WalSenderWaitForWAL"));
  EXPECT_TRUE(is_caught_up_wait("Client:WalSenderWaitForWal")) << "since PostgreSQL 17";
  EXPECT_TRUE(is_caught_up_wait("Activity:WalSenderMain"));
  EXPECT_FALSE(is_caught_up_wait("Client:WalSenderWriteData"));
  EXPECT_FALSE(is_caught_up_wait("IO:ReorderBufferWrite"));
  EXPECT_FALSE(is_caught_up_wait("running"));
}

}  // namespace
}  // namespace walstorm::measure::test
