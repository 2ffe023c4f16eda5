// Transactions that are streamed before their end, through ChangeIntake: as a server sent them, and as it
// could.

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "block_reader.h"
#include "captured.h"
#include "consumer/encode/block_form.h"
#include "consumer/stream/change_intake.h"
#include "pgoutput_bytes.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::consumer {
namespace {

using test::captured;
using test::CapturedMessage;
using Strings = std::vector<std::string>;

constexpr std::uint32_t kRun = 16384;  // the table

/// An intake with everything behind it but the sink. A release goes on by itself unless `hold_release`.
struct Rig {
  explicit Rig(std::uint64_t streamed_bytes_max = 1U << 20U, std::uint64_t records_max = 1000)
      : batcher({records_max, 100'000}, pool, tracker,
                [this](std::unique_ptr<Batch> batch) { cut.push_back(std::move(batch)); }),
        intake("run-1", streamed_bytes_max, book, tracker, batcher) {}

  void feed(const std::string& bytes, wire::Lsn lsn = wire::Lsn{50}) {
    intake.on_wal({lsn, {.steady_us = 0, .unix_us = ++received_unix_us}, bytes});
    while (intake.releasing() && !hold_release) intake.release_next(0);
  }
  void feed(const CapturedMessage& message) { feed(message.bytes, message.lsn); }

  /// The values of `column`, of all records so far.
  Strings landed(const std::string& column) {
    batcher.cut();
    Strings values;
    for (const auto& batch : cut) {
      std::string bytes;
      batch->block->serialize(bytes);
      const Strings here = test::read_native(bytes)[column].values;
      values.insert(values.end(), here.begin(), here.end());
    }
    return values;
  }

  std::int64_t received_unix_us = 2'000'000'000'000'000;
  bool hold_release = false;
  BatchPool pool{1U << 20U, [] { return make_block({}); }};
  LsnTracker tracker{wire::Lsn{1}};
  PhaseBook book;
  std::vector<std::unique_ptr<Batch>> cut;
  Batcher batcher;
  ChangeIntake intake;
};

wire::ErrorKind failure_of(Rig& rig, const std::string& bytes) {
  try {
    rig.feed(bytes);
  } catch (const wire::Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "took what it should not";
  return wire::ErrorKind::internal;
}

bool is_stream_commit(const CapturedMessage& message) {
  return message.bytes.front() == 'c';
}

/// What capture_interleaved.sh made: see there for who does what.
class Interleaved : public testing::TestWithParam<const char*> {
 protected:
  std::vector<CapturedMessage> messages_ = captured(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Protocols, Interleaved,
                         testing::Values("interleaved.hex", "interleaved_parallel.hex"));

TEST_P(Interleaved, LandInTheOrderOfTheirCommitsWithoutWhatWasTakenBack) {
  Rig rig;
  for (const CapturedMessage& message : messages_) rig.feed(message);
  EXPECT_EQ(rig.landed("id"), (Strings{"b1", "b1", "a1", "a5", "d1", "d2", "a1"}));
  EXPECT_EQ(rig.landed("_is_deleted"), (Strings{"0", "0", "0", "0", "0", "0", "1"}));
  EXPECT_EQ(rig.landed("row_hash"), (Strings{"2", "2", "1", "32", "128", "256", "1"}));
  EXPECT_EQ(rig.landed("extra"), Strings{}) << "the table changed within the transaction";
}

TEST_P(Interleaved, CountNowhereBeforeTheirCommit) {
  Rig rig;
  for (const CapturedMessage& message : messages_) {
    if (is_stream_commit(message)) break;
    rig.feed(message);
  }
  EXPECT_EQ(rig.batcher.open(), nullptr);
  EXPECT_TRUE(rig.cut.empty());
  EXPECT_EQ(rig.book.of(0).transactions, 0U);
  EXPECT_FALSE(rig.book.of(0).last_batch.has_value()) << "the marker of a transaction that is still open";
  EXPECT_EQ(rig.tracker.received(), wire::Lsn{1});
  EXPECT_GT(rig.intake.streamed().bytes_in_memory(), 0U);
}

TEST_P(Interleaved, CountInThePhaseThatTheirMarkersSay) {
  Rig rig;
  for (const CapturedMessage& message : messages_) rig.feed(message);
  rig.batcher.cut();
  wire::ChangeTally first;
  wire::ChangeTally second;
  for (const auto& batch : rig.cut) (batch->phase == 0 ? first : second).merge(batch->changes);
  EXPECT_EQ(first.inserts, 2U);
  EXPECT_EQ(first.updates, 1U);
  EXPECT_EQ(first.hash_sum, 2U + 2U + 1U);
  EXPECT_EQ(second.inserts, 3U);
  EXPECT_EQ(second.deletes, 1U);
  EXPECT_EQ(second.hash_sum, 32U + 128U + 256U + 1U);
  EXPECT_EQ(rig.book.of(0).last_batch, 1U);
  EXPECT_EQ(rig.book.of(0).transactions, 1U);
  EXPECT_EQ(rig.book.of(1).transactions, 2U);
}

TEST_P(Interleaved, CarryTheirChangesLsnAndTheirCommitsTime) {
  Rig rig;
  rig.hold_release = true;
  std::optional<StreamCommit> commit;
  PgoutputDecoder decoder;
  for (const CapturedMessage& message : messages_) {
    rig.feed(message);
    const Message decoded = decoder.decode(message.bytes);
    if (!is_stream_commit(message)) continue;
    commit = std::get<StreamCommit>(decoded);
    break;
  }
  const std::int64_t commit_received_us = rig.received_unix_us;
  EXPECT_EQ(rig.tracker.received(), wire::Lsn{1}) << "not confirmable before all of it is handed over";
  while (rig.intake.releasing()) rig.intake.release_next(0);
  EXPECT_EQ(rig.tracker.received(), commit.value().end_lsn);
  EXPECT_EQ(rig.landed("_version")[0], std::to_string(messages_[6].lsn.value));
  const RecordRun& run = rig.cut.at(0)->runs.at(0);
  EXPECT_EQ(run.commit_unix_us, commit.value().commit_time_us + wire::kPostgresEpochUnixUs);
  EXPECT_EQ(run.received.unix_us, commit_received_us);
  EXPECT_EQ(run.records, 2U);
}

TEST_P(Interleaved, ComeAgainFromTheirBeginningAfterALostConnection) {
  // The connection is lost after each message in turn, in or between blocks; the server then sends
  // everything anew.
  Rig whole;
  for (const CapturedMessage& message : messages_) whole.feed(message);
  const Strings expected = whole.landed("id");
  for (std::size_t lost = 1; lost < messages_.size(); ++lost) {
    if (is_stream_commit(messages_[lost - 1])) break;  // from here on records have landed
    Rig rig;
    for (std::size_t i = 0; i < lost; ++i) rig.feed(messages_[i]);
    rig.intake.reset_stream();
    EXPECT_EQ(rig.intake.streamed().bytes_in_memory(), 0U);
    for (const CapturedMessage& message : messages_) rig.feed(message);
    EXPECT_EQ(rig.landed("id"), expected) << "lost after message " << lost;
  }
}

TEST_P(Interleaved, ThatSpillLandTheSame) {
  Rig rig(0);
  for (const CapturedMessage& message : messages_) rig.feed(message);
  EXPECT_EQ(rig.landed("id"), (Strings{"b1", "b1", "a1", "a5", "d1", "d2", "a1"}));
  EXPECT_GT(rig.intake.streamed().counts().bytes_spilled, 0U);
  EXPECT_EQ(rig.intake.streamed().counts().committed, 3U);
  EXPECT_EQ(rig.intake.streamed().counts().aborted, 1U);
  EXPECT_EQ(rig.intake.streamed().counts().parts_aborted, 2U);
}

TEST(StreamedIntake, ReleasesStepByStepAndConfirmsAtTheEnd) {
  Rig rig(1U << 20U, 1);
  rig.hold_release = true;
  rig.feed(test::stream_start(700, true));
  rig.feed(test::relation(700, kRun));
  for (std::uint64_t i = 0; i < 10; ++i) rig.feed(test::insert(700, kRun, std::to_string(i), i));
  rig.feed(test::stream_stop());
  rig.feed(test::stream_commit(700, 90, 100));
  ASSERT_TRUE(rig.intake.releasing());
  EXPECT_EQ(failure_of(rig, test::begin(200, 701)), wire::ErrorKind::internal)
      << "nothing may overtake a release";
  for (std::size_t step = 0; rig.intake.releasing(); ++step) {
    EXPECT_EQ(rig.cut.size(), step == 0 ? 0 : step - 1) << "one message at a time, the table's first";
    EXPECT_EQ(rig.tracker.received(), wire::Lsn{1});
    rig.intake.on_keepalive(wire::Lsn{95});
    rig.intake.release_next(static_cast<std::int64_t>(step));
  }
  EXPECT_EQ(rig.cut.size(), 10U);
  EXPECT_EQ(rig.cut[3]->opened_steady_us, 4) << "a batch's age counts from its release";
  EXPECT_EQ(rig.tracker.received(), wire::Lsn{100});
  EXPECT_EQ(rig.tracker.acknowledged(), wire::Lsn{1});
  for (std::uint64_t batch = 1; batch <= 10; ++batch) rig.tracker.acknowledge(batch);
  EXPECT_EQ(rig.tracker.acknowledged(), wire::Lsn{100});
}

TEST(StreamedIntake, ForgetsAReleaseThatTheConnectionWasLostIn) {
  Rig rig;
  rig.hold_release = true;
  rig.feed(test::stream_start(700, true));
  rig.feed(test::relation(700, kRun));
  for (std::uint64_t i = 0; i < 10; ++i) rig.feed(test::insert(700, kRun, std::to_string(i), i));
  rig.feed(test::stream_stop());
  rig.feed(test::stream_commit(700, 90, 100));
  for (int i = 0; i < 4; ++i) rig.intake.release_next(0);
  rig.intake.reset_stream();
  EXPECT_FALSE(rig.intake.releasing());
  EXPECT_EQ(rig.tracker.received(), wire::Lsn{1});
  rig.feed(test::begin(200, 701));
  rig.feed(test::insert(0, kRun, "next", 1));
  rig.feed(test::commit(200, 210));
  EXPECT_EQ(rig.landed("id"), (Strings{"0", "1", "2", "next"}));
}

TEST(StreamedIntake, KeepalivesWhileATransactionIsOpenAreConfirmedAsTheyLieBeforeItsCommit) {
  Rig rig;
  rig.feed(test::stream_start(700, true));
  rig.feed(test::relation(700, kRun));
  rig.intake.on_keepalive(wire::Lsn{60});
  EXPECT_EQ(rig.tracker.acknowledged(), wire::Lsn{60});
  rig.feed(test::insert(700, kRun, "x", 1));
  rig.feed(test::stream_stop());
  rig.intake.on_keepalive(wire::Lsn{70});
  EXPECT_EQ(rig.tracker.acknowledged(), wire::Lsn{70});
  rig.feed(test::stream_commit(700, 90, 100));
  rig.batcher.cut();
  rig.intake.on_keepalive(wire::Lsn{120});
  EXPECT_EQ(rig.tracker.acknowledged(), wire::Lsn{70}) << "its records are not in the sink yet";
}

TEST(StreamedIntake, WholeTransactionsPassBetweenTheBlocksOfStreamedOnes) {
  Rig rig;
  rig.feed(test::stream_start(700, true));
  rig.feed(test::relation(700, kRun));
  rig.feed(test::insert(700, kRun, "streamed", 1));
  rig.feed(test::stream_stop());
  rig.feed(test::begin(80, 701));
  rig.feed(test::relation(0, kRun));
  rig.feed(test::insert(0, kRun, "whole", 2));
  rig.feed(test::commit(80, 85));
  rig.feed(test::stream_start(700, false));
  rig.feed(test::insert(700, kRun, "streamed too", 4));
  rig.feed(test::stream_stop());
  rig.feed(test::stream_commit(700, 90, 100));
  EXPECT_EQ(rig.landed("id"), (Strings{"whole", "streamed", "streamed too"}));
}

TEST(StreamedIntake, MarkersOfAnAbortedTransactionMarkNothing) {
  const std::string content = wire::phase_end_marker("run-1", 0);
  Rig rig;
  rig.feed(test::stream_start(700, true));
  rig.feed(test::marker(700, true, content));
  rig.feed(test::stream_stop());
  rig.feed(test::stream_abort(700, 700));
  rig.feed(test::marker(0, false, content));  // outside of any transaction
  EXPECT_FALSE(rig.book.of(0).last_batch.has_value());
  rig.feed(test::stream_start(701, true));
  rig.feed(test::marker(701, true, content));
  rig.feed(test::stream_stop());
  EXPECT_FALSE(rig.book.of(0).last_batch.has_value());
  rig.feed(test::stream_commit(701, 90, 100));
  EXPECT_EQ(rig.book.of(0).last_batch, 0U);
}

TEST(StreamedIntake, ADescriptionInAnAbortedTransactionIsForgottenWithIt) {
  Rig rig;
  rig.feed(test::stream_start(700, true));
  rig.feed(test::relation(700, kRun));
  rig.feed(test::truncate(700, kRun));
  rig.feed(test::stream_stop());
  rig.feed(test::stream_abort(700, 700));
  rig.feed(test::begin(80, 701));
  EXPECT_EQ(failure_of(rig, test::insert(0, kRun, "x", 1)), wire::ErrorKind::protocol)
      << "the server describes the table again";
}

TEST(StreamedIntake, ATruncateInAStreamIsPassedOver) {
  Rig rig;
  rig.feed(test::stream_start(700, true));
  rig.feed(test::relation(700, kRun));
  rig.feed(test::insert(700, kRun, "x", 1));
  rig.feed(test::truncate(700, kRun));
  rig.feed(test::stream_stop());
  rig.feed(test::stream_commit(700, 90, 100));
  EXPECT_EQ(rig.landed("id"), Strings{"x"});
}

TEST(StreamedIntake, LargeTransactionsInterleavedInLittleMemoryLandWholeAndInOrder) {
  const unsigned seed = 20261121;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  constexpr std::uint64_t kMemory = 2 * ChunkPool::kChunkBytes;
  Rig rig(kMemory, 100);
  std::vector<Strings> kept(4);  // by transaction: the ids that are not taken back
  std::vector<std::uint32_t> parts(4, 0);
  Strings expected;
  for (std::uint32_t block = 0; block < 200; ++block) {
    const std::uint32_t which = random() % 4;
    const std::uint32_t xid = 700 + which;
    rig.feed(test::stream_start(xid, kept[which].empty()));
    if (kept[which].empty()) {
      rig.feed(test::relation(xid, kRun));
      rig.feed(test::insert(xid, kRun, "first", 1));
      kept[which].push_back("first");
    }
    const bool part_aborts = random() % 3 == 0;
    const std::uint32_t part = 10'000 + block;
    for (int i = 0; i < 20; ++i) {
      const std::string id(random() % 4000, static_cast<char>('a' + i));
      rig.feed(test::insert(part, kRun, id, 1));
      if (!part_aborts) kept[which].push_back(id);
    }
    rig.feed(test::stream_stop());
    if (part_aborts) rig.feed(test::stream_abort(xid, part));
    EXPECT_LE(rig.intake.streamed().bytes_in_memory(), kMemory);
  }
  std::uint64_t lsn = 0;
  for (const std::uint32_t which : {2U, 0U, 3U}) {
    lsn += 100;  // commits come in their order
    rig.feed(test::stream_commit(700 + which, lsn - 10, lsn));
    expected.insert(expected.end(), kept[which].begin(), kept[which].end());
  }
  rig.feed(test::stream_abort(701, 701));
  EXPECT_EQ(rig.landed("id"), expected);
  EXPECT_GT(rig.intake.streamed().counts().bytes_spilled, 1'000'000U);
  EXPECT_EQ(rig.intake.streamed().bytes_in_memory(), 0U);
}

TEST(StreamedIntake, RefusesWhatNoServerMaySend) {
  Rig rig;
  EXPECT_EQ(failure_of(rig, test::stream_start(700, false)), wire::ErrorKind::protocol) << "never began";
  EXPECT_EQ(failure_of(rig, test::stream_commit(700, 90, 100)), wire::ErrorKind::protocol);
  rig.intake.reset_stream();
  rig.feed(test::stream_abort(700, 700));  // nothing of it is here: nothing to forget
  rig.feed(test::stream_start(700, true));
  EXPECT_EQ(failure_of(rig, "I\1"), wire::ErrorKind::protocol) << "seen when it comes, not when it commits";
  EXPECT_EQ(failure_of(rig, "?"), wire::ErrorKind::protocol);
  EXPECT_EQ(failure_of(rig, test::begin(80, 701)), wire::ErrorKind::protocol);
  EXPECT_EQ(failure_of(rig, test::stream_commit(700, 90, 100)), wire::ErrorKind::protocol);
  rig.feed(test::stream_stop());
  EXPECT_EQ(failure_of(rig, test::stream_start(700, true)), wire::ErrorKind::protocol) << "began before";
}

}  // namespace
}  // namespace walstorm::consumer
