#include "consumer/decode/pgoutput_decoder.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>

#include "captured.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::consumer {
namespace {

using test::captured;
using test::CapturedMessage;

/// The captured messages of one kind, each decoded by a decoder that has seen all before it; `check` sees
/// them in order. Returns how many there were.
template <typename Kind, typename Check>
int each(const std::string& file, Check check) {
  PgoutputDecoder decoder;
  int count = 0;
  for (const CapturedMessage& message : captured(file)) {
    const Message decoded = decoder.decode(message.bytes);
    if (const Kind* kind = std::get_if<Kind>(&decoded)) check(count++, *kind);
  }
  return count;
}

wire::ErrorKind error_of(PgoutputDecoder& decoder, std::string_view bytes) {
  try {
    (void)decoder.decode(bytes);
  } catch (const wire::Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "decoded what it should not";
  return wire::ErrorKind::internal;
}

class CapturedMessages : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Forms, CapturedMessages, testing::Values("text.hex", "binary.hex"));

TEST_P(CapturedMessages, CommitsEndBehindWhereTheyLieAndCarryTheirBeginsTime) {
  PgoutputDecoder decoder;
  Begin begin;
  int commits = 0;
  for (const CapturedMessage& message : captured(GetParam())) {
    const Message decoded = decoder.decode(message.bytes);
    if (const Begin* begun = std::get_if<Begin>(&decoded)) begin = *begun;
    if (const Commit* commit = std::get_if<Commit>(&decoded)) {
      EXPECT_EQ(commit->commit_lsn, begin.final_lsn);
      EXPECT_GT(commit->end_lsn, commit->commit_lsn);
      EXPECT_EQ(commit->commit_time_us, begin.commit_time_us);
      EXPECT_NE(begin.xid, 0U);
      ++commits;
    }
  }
  EXPECT_EQ(commits, 14);
}

TEST_P(CapturedMessages, CommitTimesCountFromTheYear2000) {
  each<Commit>(GetParam(), [](int index, const Commit& commit) {
    // Captured after 2026-01-01, except what carries the time that a foreign origin gave it: 2026-01-31
    // 12:00.
    const std::int64_t unix_us = commit.commit_time_us + wire::kPostgresEpochUnixUs;
    EXPECT_GT(unix_us, 1'767'225'600'000'000);
    if (index == 8) {
      EXPECT_EQ(unix_us, 1'769'860'800'000'000);
    }
  });
}

TEST_P(CapturedMessages, RelationsDescribeColumnsAndChangeInMidStream) {
  const int count = each<Relation>(GetParam(), [](int index, const Relation& relation) {
    EXPECT_EQ(relation.schema, "public");
    EXPECT_EQ(relation.name, "TaskRun");
    EXPECT_EQ(relation.columns.size(), index == 0 ? 14U : 15U);
    EXPECT_EQ(relation.columns[0].name, "id");
    EXPECT_EQ(relation.columns[0].type_oid, 25U);
    EXPECT_EQ(relation.columns[4].type_oid, 1009U);
    EXPECT_EQ(relation.columns[9].type_oid, 1184U);
    EXPECT_EQ(relation.columns[9].type_modifier, 3);
    if (index > 0) {
      EXPECT_EQ(relation.columns[14].name, "extraNote");
    }
    const bool full = relation.replica_identity == 'f';
    EXPECT_TRUE(full || relation.replica_identity == 'd');
    EXPECT_TRUE(relation.columns[0].is_key);
    EXPECT_EQ(relation.columns[1].is_key, full);  // with FULL every column is part of the identity
  });
  EXPECT_EQ(count, 5);
}

TEST_P(CapturedMessages, TypesAreNamed) {
  const int count = each<Type>(GetParam(), [](int, const Type& type) {
    EXPECT_EQ(type.schema, "public");
    EXPECT_EQ(type.name, "mood");
    EXPECT_GE(type.oid, 16384U);
  });
  EXPECT_EQ(count, 5);
}

TEST_P(CapturedMessages, OriginsAreNamed) {
  const int count = each<Origin>(GetParam(), [](int, const Origin& origin) {
    EXPECT_EQ(origin.name, "elsewhere");
    EXPECT_EQ(origin.commit_lsn, wire::parse_lsn("0/ABC"));
  });
  EXPECT_EQ(count, 1);
}

TEST_P(CapturedMessages, NullIsNotAnEmptyString) {
  each<Insert>(GetParam(), [](int index, const Insert& insert) {
    if (index == 0) {
      EXPECT_EQ(insert.new_tuple[3].kind, ValueKind::null);
    }
    if (index != 1) return;
    EXPECT_NE(insert.new_tuple[1].kind, ValueKind::null);
    EXPECT_EQ(insert.new_tuple[1].bytes, "");
    EXPECT_EQ(insert.new_tuple[3].bytes, "boom");
  });
}

TEST_P(CapturedMessages, UnchangedToastIsNeitherNullNorEmptyAndItsOldValueIsInTheOldTuple) {
  int seen = 0;
  each<Update>(GetParam(), [&](int index, const Update& update) {
    if (index != 0) return;
    EXPECT_EQ(update.new_tuple[2].kind, ValueKind::unchanged_toast);
    EXPECT_EQ(update.old_kind, OldTuple::full);
    EXPECT_EQ(update.old_tuple[2].bytes, std::string(2100, 'x'));
    EXPECT_EQ(update.old_tuple[1].bytes, "PENDING");
    EXPECT_EQ(update.new_tuple[1].bytes, "QUEUED");
    ++seen;
  });
  EXPECT_EQ(seen, 1);
}

TEST_P(CapturedMessages, UpdatesComeWithTheOldRowTheOldKeyOrNothing) {
  std::vector<OldTuple> kinds;
  each<Update>(GetParam(), [&](int index, const Update& update) {
    kinds.push_back(update.old_kind);
    if (index == 1) {
      EXPECT_EQ(update.old_tuple[0].bytes, "r2");
      EXPECT_EQ(update.new_tuple[0].bytes, "r2b");
    }
    if (index == 4) {
      EXPECT_EQ(update.old_tuple[0].bytes, "r5");
      EXPECT_EQ(update.old_tuple[1].kind, ValueKind::null);
      EXPECT_EQ(update.new_tuple[0].bytes, "r5b");
    }
  });
  EXPECT_EQ(kinds, (std::vector{OldTuple::full, OldTuple::full, OldTuple::full, OldTuple::none, OldTuple::key,
                                OldTuple::none}));
}

TEST_P(CapturedMessages, DeletesComeWithTheOldRowOrTheOldKey) {
  const int count = each<Delete>(GetParam(), [](int index, const Delete& removal) {
    EXPECT_EQ(removal.old_kind, index == 0 ? OldTuple::full : OldTuple::key);
    EXPECT_EQ(removal.old_tuple[0].bytes, index == 0 ? "r2b" : "r5b");
    EXPECT_EQ(removal.old_tuple[3].kind == ValueKind::null, index == 1);
  });
  EXPECT_EQ(count, 2);
}

TEST_P(CapturedMessages, TruncateNamesItsTablesAndOptions) {
  std::uint32_t relation_id = 0;
  each<Relation>(GetParam(), [&](int, const Relation& relation) { relation_id = relation.id; });
  const int count = each<Truncate>(GetParam(), [&](int, const Truncate& truncate) {
    ASSERT_EQ(truncate.relation_ids.size(), 1U);
    EXPECT_EQ(truncate.relation_ids[0], relation_id);
    EXPECT_TRUE(truncate.cascade);
    EXPECT_TRUE(truncate.restart_identity);
  });
  EXPECT_EQ(count, 1);
}

TEST_P(CapturedMessages, LogicalMessagesSayWhetherTheyBelongToATransaction) {
  std::vector<bool> transactional;
  each<LogicalMessage>(GetParam(), [&](int index, const LogicalMessage& message) {
    transactional.push_back(message.transactional);
    EXPECT_EQ(message.prefix, wire::kMarkerPrefix);
    EXPECT_TRUE(message.lsn.is_set());
    if (index == 0) {
      EXPECT_EQ(message.content, wire::phase_end_marker("run-1", 0));
    }
  });
  EXPECT_EQ(transactional, (std::vector{true, false, true}));
}

TEST_P(CapturedMessages, EveryTruncationOfEveryMessageIsAnError) {
  PgoutputDecoder decoder;
  for (const CapturedMessage& message : captured(GetParam())) {
    const std::string_view bytes = message.bytes;
    for (std::size_t size = 0; size < bytes.size(); size += size < 100 ? 1 : 97) {
      // On the heap and of that size, so that the address sanitizer sees a byte read too far.
      const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(error_of(decoder, {cut.data(), cut.size()}), wire::ErrorKind::protocol);
    }
    EXPECT_EQ(error_of(decoder, message.bytes + "x"), wire::ErrorKind::protocol);
  }
}

TEST_P(CapturedMessages, FlippedBytesNeverReadBeyondTheMessage) {
  const unsigned seed = 20260131;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto messages = captured(GetParam());
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string& bytes = messages[random() % messages.size()].bytes;
    std::vector<char> flipped(bytes.begin(), bytes.end());
    flipped[random() % std::min<std::size_t>(flipped.size(), 40)] = static_cast<char>(random());
    PgoutputDecoder decoder;
    try {
      (void)decoder.decode({flipped.data(), flipped.size()});
    } catch (const wire::Error& error) {
      EXPECT_EQ(error.kind(), wire::ErrorKind::protocol);
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(PgoutputDecoder, TextAndBinaryValuesSayWhichTheyAre) {
  each<Insert>("text.hex", [](int, const Insert& insert) {
    for (const Value& value : insert.new_tuple) EXPECT_NE(value.kind, ValueKind::binary);
  });
  each<Insert>("binary.hex", [](int, const Insert& insert) {
    EXPECT_EQ(insert.new_tuple[5].kind, ValueKind::binary);
    EXPECT_EQ(insert.new_tuple[5].bytes.size(), 4U);
  });
}

TEST(PgoutputDecoder, UnknownMessagesAreErrors) {
  PgoutputDecoder decoder;
  EXPECT_EQ(error_of(decoder, "Z"), wire::ErrorKind::protocol);
  EXPECT_EQ(error_of(decoder, std::string_view("\x07")), wire::ErrorKind::protocol);
  EXPECT_EQ(error_of(decoder, ""), wire::ErrorKind::protocol);
}

TEST(PgoutputDecoder, AStreamedBlocksMessagesCarryTheirTransaction) {
  PgoutputDecoder decoder;
  std::uint32_t streamed = 0;
  std::uint32_t aborted_part = 0;
  int starts = 0, stops = 0, inserts = 0, messages = 0, commits = 0;
  for (const CapturedMessage& message : captured("streamed.hex")) {
    const Message decoded = decoder.decode(message.bytes);
    if (const auto* start = std::get_if<StreamStart>(&decoded)) {
      EXPECT_EQ(start->first_segment, starts++ == 0);
      streamed = start->xid;
    } else if (std::holds_alternative<Insert>(decoded)) {
      EXPECT_GE(streamed_xid(message.bytes), streamed);
      ++inserts;
    } else if (const auto* inside = std::get_if<LogicalMessage>(&decoded)) {
      EXPECT_EQ(inside->content, "inside");
      EXPECT_EQ(streamed_xid(message.bytes), streamed);
      ++messages;
    } else if (const auto* abort = std::get_if<StreamAbort>(&decoded)) {
      EXPECT_EQ(abort->xid, streamed);
      EXPECT_FALSE(abort->abort_lsn.has_value());
      aborted_part = abort->subtransaction_xid;
    } else if (const auto* commit = std::get_if<StreamCommit>(&decoded)) {
      EXPECT_EQ(commit->xid, streamed);
      EXPECT_GT(commit->end_lsn, commit->commit_lsn);
      EXPECT_FALSE(decoder.is_streamed(message.bytes));
      ++commits;
    }
    stops += std::holds_alternative<StreamStop>(decoded) ? 1 : 0;
  }
  EXPECT_EQ(starts, stops);
  EXPECT_GE(starts, 2);
  EXPECT_GT(inserts, 3);
  EXPECT_EQ(messages, 1);
  EXPECT_EQ(commits, 1);
  EXPECT_GT(aborted_part, streamed);
}

TEST(PgoutputDecoder, EveryTruncationOfAHeldMessageIsAnErrorWhenItIsReleased) {
  PgoutputDecoder decoder;
  int held = 0;
  for (const CapturedMessage& message : captured("interleaved_parallel.hex")) {
    if (!decoder.is_streamed(message.bytes)) {
      (void)decoder.decode(message.bytes);
      continue;
    }
    ++held;
    EXPECT_NO_THROW((void)decoder.decode_streamed(message.bytes));
    for (std::size_t size = 0; size < message.bytes.size(); ++size) {
      const std::vector<char> cut(message.bytes.begin(),
                                  message.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THROW((void)decoder.decode_streamed({cut.data(), cut.size()}), wire::Error);
    }
  }
  EXPECT_GT(held, 10);
}

TEST(PgoutputDecoder, AParallelStreamsAbortSaysWhereAndWhen) {
  PgoutputDecoder decoder;
  using namespace std::string_literals;
  const Message decoded = decoder.decode("A\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4"s);
  const auto& abort = std::get<StreamAbort>(decoded);
  EXPECT_EQ(abort.abort_lsn, wire::Lsn{3});
  EXPECT_EQ(abort.abort_time_us, 4);
}

TEST(PgoutputDecoder, StreamedBlocksThatNestOrStopWithoutAStartAreErrors) {
  using namespace std::string_literals;
  PgoutputDecoder decoder;
  EXPECT_EQ(error_of(decoder, "E"), wire::ErrorKind::protocol);
  (void)decoder.decode("S\0\0\0\1\1"s);
  EXPECT_EQ(error_of(decoder, "S\0\0\0\2\1"s), wire::ErrorKind::protocol);
}

}  // namespace
}  // namespace walstorm::consumer
