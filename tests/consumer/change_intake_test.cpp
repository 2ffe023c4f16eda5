#include "consumer/stream/change_intake.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "block_reader.h"
#include "captured.h"
#include "consumer/encode/block_form.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

using test::captured;
using test::CapturedMessage;
using Strings = std::vector<std::string>;

/// An intake with everything behind it but the sink: what is cut stays here.
struct Rig {
  explicit Rig(std::uint64_t records_max = 1000, const std::string& run_id = "run-1")
      : batcher({records_max, 100'000}, pool, tracker,
                [this](std::unique_ptr<Batch> batch) { cut.push_back(std::move(batch)); }),
        intake(run_id, 1U << 20, book, tracker, batcher) {}

  void feed(const CapturedMessage& message) {
    intake.on_wal({message.lsn, {.steady_us = 0, .unix_us = received_unix_us}, message.bytes});
  }
  /// The first `transactions` of the captured ones.
  void feed(const std::string& file, int transactions) {
    for (const CapturedMessage& message : captured(file)) {
      if (transactions == 0) break;
      feed(message);
      if (message.bytes.front() == 'C') --transactions;
    }
  }
  test::LandedBlock block(std::size_t index) const {
    std::string bytes;
    cut.at(index)->block->serialize(bytes);
    return test::read_native(bytes);
  }

  std::int64_t received_unix_us = 2'000'000'000'000'000;
  BatchPool pool{1U << 20, [] { return make_block({}); }};
  LsnTracker tracker{wire::Lsn{1}};
  PhaseBook book;
  std::vector<std::unique_ptr<Batch>> cut;
  Batcher batcher;
  ChangeIntake intake;
};

/// What ends feeding the first `transactions` of the captured ones.
wire::Error failure_within(int transactions, const std::string& file) {
  Rig rig;
  try {
    rig.feed(file, transactions);
  } catch (const wire::Error& error) {
    return error;
  }
  return {wire::ErrorKind::internal, "nothing failed"};
}

class CapturedChanges : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Forms, CapturedChanges, testing::Values("text.hex", "binary.hex"));

TEST_P(CapturedChanges, EveryKindOfColumnLands) {
  Rig rig;
  rig.feed(GetParam(), 2);
  rig.batcher.cut();
  ASSERT_EQ(rig.cut.size(), 1U);
  auto block = rig.block(0);
  EXPECT_EQ(block.size(), 15U);
  EXPECT_EQ(block["id"].values, (Strings{"r1", "r2", "r3"}));
  EXPECT_EQ(block["id"].type, "String");
  EXPECT_EQ(block["status"].values, (Strings{"PENDING", "", "ü"}));
  EXPECT_EQ(block["payload"].values, (Strings{std::string(2100, 'x'), "p", "p"}));
  EXPECT_EQ(block["error"].values, (Strings{"NULL", "boom", "NULL"}));
  EXPECT_EQ(block["error"].type, "Nullable(String)");
  EXPECT_EQ(block["tags"].values, (Strings{R"(['a','b c','','q"\'])", "[]", "['NULL']"}));
  EXPECT_EQ(block["attempt"].values, (Strings{"1", "-2147483648", "2147483647"}));
  EXPECT_EQ(block["is_test"].values, (Strings{"1", "0", "0"}));
  EXPECT_EQ(block["usage_duration_ms"].values, (Strings{"9007199254740993", "-1", "0"}));
  EXPECT_EQ(block["cost_in_cents"].values, (Strings{"0.1", "-inf", "1e+300"}));
  EXPECT_EQ(block["created_at"].values, (Strings{"1769860800123", "-1", "946684799500"}));
  EXPECT_EQ(block["created_at"].type, "DateTime64(3, 'UTC')");
  EXPECT_EQ(block["started_at"].values, (Strings{"1769860801000", "NULL", "NULL"}));
  EXPECT_EQ(block["started_at"].type, "Nullable(DateTime64(3, 'UTC'))");
  EXPECT_FALSE(block.contains("doc") || block.contains("mood")) << "walstorm's table has no such columns";
  EXPECT_EQ(block["row_hash"].values, (Strings{"18446744073709551614", "3", "4"}));
  EXPECT_EQ(block["row_hash"].type, "UInt64");
  EXPECT_EQ(block["_is_deleted"].values, (Strings{"0", "0", "0"}));
}

TEST_P(CapturedChanges, AVersionIsTheLsnOfItsChange) {
  Rig rig(1);
  rig.feed(GetParam(), 3);
  for (std::size_t i = 0; i < rig.cut.size(); ++i) {
    EXPECT_EQ(rig.cut[i]->first_lsn, rig.cut[i]->last_lsn);
    EXPECT_EQ(rig.block(i)["_version"].values[0], std::to_string(rig.cut[i]->first_lsn.value));
  }
  EXPECT_GT(rig.cut.back()->first_lsn, rig.cut.front()->first_lsn);
}

TEST_P(CapturedChanges, UnchangedToastLandsAsTheOldValue) {
  Rig rig;
  rig.feed(GetParam(), 3);
  rig.batcher.cut();
  EXPECT_EQ(rig.block(0)["status"].values[3], "QUEUED");
  EXPECT_EQ(rig.block(0)["payload"].values[3], std::string(2100, 'x'));
}

TEST_P(CapturedChanges, AKeyChangeDeletesTheOldKeyAndIsOneChange) {
  Rig rig(4);
  rig.feed(GetParam(), 4);
  rig.batcher.cut();
  ASSERT_EQ(rig.cut.size(), 2U);
  EXPECT_EQ(rig.cut[1]->changes.updates, 1U);
  EXPECT_EQ(rig.cut[1]->changes.records(), 1U);
  EXPECT_EQ(rig.cut[1]->changes.hash_sum, 6U);
  auto block = rig.block(1);
  EXPECT_EQ(block["id"].values, (Strings{"r2b", "r2"}));
  EXPECT_EQ(block["_is_deleted"].values, (Strings{"0", "1"}));
  EXPECT_EQ(block["error"].values, (Strings{"boom", "boom"}));
}

TEST_P(CapturedChanges, ADeleteLandsItsOldRowAndCountsItsHash) {
  Rig rig;
  rig.feed(GetParam(), 5);
  rig.batcher.cut();
  const wire::ChangeTally& changes = rig.cut[0]->changes;
  EXPECT_EQ(changes.inserts, 3U);
  EXPECT_EQ(changes.updates, 2U);
  EXPECT_EQ(changes.deletes, 1U);
  EXPECT_EQ(changes.hash_sum, static_cast<std::uint64_t>(-2) + 3 + 4 + 5 + 6 + 6);
  EXPECT_EQ(changes.hash_xor, static_cast<std::uint64_t>(-2) ^ 3U ^ 4U ^ 5U ^ 6U ^ 6U);
  auto block = rig.block(0);
  EXPECT_EQ(block["id"].values.back(), "r2b");
  EXPECT_EQ(block["_is_deleted"].values.back(), "1");
}

TEST_P(CapturedChanges, AMarkerEndsThePhaseExactlyThere) {
  Rig rig;
  rig.feed(GetParam(), 8);  // up to and with the transaction that follows the markers
  rig.batcher.cut();
  ASSERT_GE(rig.cut.size(), 2U);
  EXPECT_EQ(rig.cut[0]->phase, 0U);
  EXPECT_EQ(rig.cut[0]->changes.records(), 6U);
  EXPECT_EQ(rig.book.of(0).last_batch, 1U);
  EXPECT_EQ(rig.book.of(0).transactions, 5U);
  // Neither the message outside a transaction nor another run's marker did anything.
  for (std::size_t i = 1; i < rig.cut.size(); ++i) EXPECT_EQ(rig.cut[i]->phase, 1U);
  EXPECT_EQ(rig.book.of(1).transactions, 1U);
}

TEST_P(CapturedChanges, MarkersOfAnotherRunAreIgnored) {
  Rig rig(1000, "run-3");
  rig.feed(GetParam(), 8);
  EXPECT_FALSE(rig.book.of(0).last_batch.has_value());
  EXPECT_FALSE(rig.book.of(7).last_batch.has_value());
}

TEST_P(CapturedChanges, AChangedTableStartsANewBatchWithinTheTransaction) {
  Rig rig;
  rig.feed(GetParam(), 8);
  rig.batcher.cut();
  ASSERT_EQ(rig.cut.size(), 3U);
  EXPECT_EQ(rig.block(1)["id"].values, Strings{"r4"});
  EXPECT_EQ(rig.block(2)["id"].values, Strings{"r5"});
  EXPECT_EQ(rig.block(2).count("extra_note"), 0U);
}

TEST_P(CapturedChanges, ADescriptionRepeatedUnchangedCutsNothing) {
  Rig rig;
  const auto messages = captured(GetParam());
  for (int i = 0; i < 4; ++i)
    rig.feed(messages[static_cast<std::size_t>(i)]);  // begin, type, relation, insert
  rig.feed(messages[2]);
  rig.feed(messages[3]);
  EXPECT_TRUE(rig.cut.empty());
}

TEST_P(CapturedChanges, ABatchIsACapWithinATransactionToo) {
  Rig rig(1);
  rig.feed(GetParam(), 2);
  EXPECT_EQ(rig.cut.size(), 3U);
}

TEST_P(CapturedChanges, RecordsCarryTheCommitTimeOfTheirTransaction) {
  Rig rig;
  rig.feed(GetParam(), 2);
  rig.batcher.cut();
  const std::vector<RecordRun>& runs = rig.cut[0]->runs;
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].records, 1U);
  EXPECT_EQ(runs[1].records, 2U);
  EXPECT_LT(runs[0].commit_unix_us, runs[1].commit_unix_us);
  EXPECT_GT(runs[0].commit_unix_us, 1'767'225'600'000'000);  // 2026: not 7 days and not 30 years off
  EXPECT_EQ(runs[0].received.unix_us, rig.received_unix_us);
}

TEST_P(CapturedChanges, ACommitIsPutOnOurClockBeforeItIsComparedWithIt) {
  Rig plain;
  plain.feed(GetParam(), 1);
  plain.batcher.cut();
  const std::int64_t commit_unix_us = plain.cut[0]->runs[0].commit_unix_us;
  constexpr std::int64_t kAheadUs = 90'000'000;
  for (const std::int64_t ahead_us : {-kAheadUs, kAheadUs}) {
    Rig skewed;
    skewed.intake.set_clock({ahead_us, 100});
    skewed.received_unix_us = commit_unix_us + ahead_us + 2'000;  // read 2 ms later, by our clock
    skewed.feed(GetParam(), 1);
    skewed.batcher.cut();
    skewed.book.acknowledged(*skewed.cut[0], 3'000, 7'000);
    const PhaseFigures& figures = skewed.book.of(0);
    EXPECT_EQ(figures.receive_us.max(), 2'000);
    EXPECT_EQ(figures.queue_us.max(), 3'000);
    EXPECT_EQ(figures.flush_us.max(), 4'000);
    EXPECT_EQ(figures.lag_us.max(), 9'000);
  }
  Rig close;
  close.intake.set_clock({90, 100});
  close.feed(GetParam(), 1);
  close.batcher.cut();
  EXPECT_EQ(close.cut[0]->runs[0].commit_unix_us, commit_unix_us) << "within the error of the comparison";
}

TEST_P(CapturedChanges, ConfirmsTheCommitsEndNotItsStart) {
  Rig rig;
  rig.feed(GetParam(), 1);
  PgoutputDecoder decoder;
  wire::Lsn end;
  for (const CapturedMessage& message : captured(GetParam())) {
    const Message decoded = decoder.decode(message.bytes);
    if (const Commit* commit = std::get_if<Commit>(&decoded)) {
      end = commit->end_lsn;
      break;
    }
  }
  EXPECT_EQ(rig.tracker.acknowledged(), wire::Lsn{1});
  rig.tracker.acknowledge(1);
  EXPECT_EQ(rig.tracker.acknowledged(), end);
}

TEST_P(CapturedChanges, LostAnywhereAndSentAgainEveryChangeIsReceivedOnce) {
  std::vector<CapturedMessage> messages = captured(GetParam());
  std::size_t count = 0;
  for (int commits = 0; commits < 8; ++count) commits += messages[count].bytes.front() == 'C' ? 1 : 0;
  messages.resize(count);
  const auto feed_first = [&](Rig& rig, std::size_t first) {
    for (std::size_t i = 0; i < first; ++i) rig.feed(messages[i]);
  };
  const auto received = [](Rig& rig) {
    rig.batcher.cut();
    wire::ChangeTally sum;
    for (const auto& batch : rig.cut) sum.merge(batch->changes);
    return sum;
  };
  Rig whole(2);
  feed_first(whole, count);
  for (std::size_t lost_at = 0; lost_at < count; ++lost_at) {
    SCOPED_TRACE(lost_at);
    Rig rig(2);
    feed_first(rig, lost_at);
    rig.intake.reset_stream();
    feed_first(rig, count);
    EXPECT_EQ(received(rig), received(whole));
    EXPECT_EQ(rig.book.of(0).last_batch, whole.book.of(0).last_batch) << "the marker's place";
    EXPECT_EQ(rig.book.of(0).transactions, whole.book.of(0).transactions);
    EXPECT_EQ(rig.book.of(1).transactions, whole.book.of(1).transactions);
    std::uint64_t again = 0;
    for (std::size_t i = 0; i < lost_at; ++i) {
      again += std::string_view("IUD").find(messages[i].bytes.front()) != std::string_view::npos ? 1U : 0U;
    }
    EXPECT_EQ(rig.book.of(0).replayed.records() + rig.book.of(1).replayed.records(), again);
  }
}

TEST_P(CapturedChanges, ATransactionCutOffIsNotConfirmedBeforeItsCommitCame) {
  Rig rig(1);
  const auto messages = captured(GetParam());
  std::size_t in_second = 0;  // after the first record of the second transaction, which has two
  for (int inserts = 0; inserts < 2; ++in_second) inserts += messages[in_second].bytes.front() == 'I' ? 1 : 0;
  for (std::size_t i = 0; i < in_second; ++i) rig.feed(messages[i]);
  const wire::Lsn first_end = rig.tracker.received();
  rig.intake.reset_stream();
  rig.tracker.acknowledge(1);
  rig.tracker.acknowledge(2);
  EXPECT_EQ(rig.tracker.acknowledged(), first_end) << "half of the second transaction is in the sink";
  rig.feed(GetParam(), 2);
  EXPECT_EQ(rig.tracker.acknowledged(), first_end) << "its other half is not yet";
  rig.tracker.acknowledge(3);
  EXPECT_EQ(rig.tracker.acknowledged(), rig.tracker.received());
  EXPECT_GT(rig.tracker.received(), first_end);
}

TEST(ChangeIntake, UnchangedToastWithoutAnOldRowIsADataError) {
  const wire::Error error = failure_within(12, "text.hex");
  EXPECT_EQ(error.kind(), wire::ErrorKind::data);
  EXPECT_NE(std::string(error.what()).find("payload"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("REPLICA IDENTITY FULL"), std::string::npos) << error.what();
}

TEST(ChangeIntake, AKeyChangeWithTheOldKeyOnlyStillDeletesIt) {
  Rig rig;
  rig.feed("text.hex", 11);
  rig.batcher.cut();
  auto block = rig.block(rig.cut.size() - 1);
  const std::size_t last = block["id"].values.size() - 1;
  EXPECT_EQ(block["id"].values[last - 1], "r5b");
  EXPECT_EQ(block["id"].values[last], "r5");
  EXPECT_EQ(block["_is_deleted"].values[last], "1");
  EXPECT_EQ(block["status"].values[last], "");
  EXPECT_EQ(block["payload"].values[last], "");
}

TEST(ChangeIntake, ADeleteByKeyOnlyIsADataError) {
  Rig rig;
  const auto messages = captured("text.hex");
  for (const CapturedMessage& message : messages) {
    if (message.bytes.front() == 'R') rig.feed(message);
  }
  for (const CapturedMessage& message : messages) {
    if (message.bytes.front() != 'D' || message.bytes[5] != 'K') continue;
    try {
      rig.feed(message);
      FAIL() << "landed a delete without its row";
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::data);
      EXPECT_NE(std::string(error.what()).find("REPLICA IDENTITY FULL"), std::string::npos);
    }
    return;
  }
  FAIL() << "no such delete was captured";
}

TEST_P(CapturedChanges, AnotherColumnOfAnyTypeIsReadPast) {
  Rig rig;
  rig.feed(GetParam(), 9);  // an enum, whose binary form is unknown here
  rig.batcher.cut();
  auto block = rig.block(rig.cut.size() - 1);
  EXPECT_FALSE(block["id"].values.empty());
  EXPECT_EQ(block.count("mood"), 0U);
}

TEST(ChangeIntake, TruncateIsPassedOver) {
  Rig rig;
  for (const CapturedMessage& message : captured("text.hex")) {
    if (std::string_view("RT").find(message.bytes.front()) != std::string_view::npos) rig.feed(message);
  }
  EXPECT_EQ(rig.batcher.open(), nullptr);
}

TEST(ChangeIntake, AChangeOfATableThatWasNotDescribedIsAProtocolError) {
  Rig rig;
  try {
    rig.feed(captured("text.hex")[3]);
    FAIL();
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::protocol);
  }
}

}  // namespace
}  // namespace walstorm::consumer
