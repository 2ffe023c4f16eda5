#include "consumer/decode/message_log.h"

#include <deque>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "consumer/decode/chunk_pool.h"

namespace walstorm::consumer {
namespace {

constexpr std::uint64_t kChunk = ChunkPool::kChunkBytes;

struct Message {
  std::uint64_t lsn;
  std::string payload;

  friend bool operator==(const Message&, const Message&) = default;
};

/// Mostly small ones, some larger than a chunk.
Message random_message(std::mt19937& random, std::uint64_t lsn) {
  const std::size_t size = random() % 40 == 0 ? kChunk - 40 + random() % (2 * kChunk) : random() % 3000;
  std::string payload(size, '\0');
  for (char& byte : payload) byte = static_cast<char>(random());
  return {lsn, payload};
}

std::vector<Message> take_all(MessageLog& log) {
  std::vector<Message> messages;
  while (const auto message = log.take()) {
    messages.push_back({message->lsn.value, std::string(message->payload)});
  }
  return messages;
}

class MessageLogs : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Memory, MessageLogs, testing::Values(0, 2 * kChunk, 7 * kChunk, 1000 * kChunk));

TEST_P(MessageLogs, GiveBackWhatWasPutInThemHoweverInterleaved) {
  const unsigned seed = 20261121;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  ChunkPool pool(GetParam());
  std::vector<std::unique_ptr<MessageLog>> logs;
  std::vector<std::vector<Message>> expected(5);
  for (int i = 0; i < 5; ++i) logs.push_back(std::make_unique<MessageLog>(pool));
  for (std::uint64_t lsn = 1; lsn <= 1000; ++lsn) {
    const std::size_t which = random() % 5;
    const Message& message = expected[which].emplace_back(random_message(random, lsn));
    logs[which]->append({wire::Lsn{message.lsn}, message.payload});
    ASSERT_LE(pool.bytes_in_memory(), std::max(GetParam(), kChunk));
  }
  EXPECT_EQ(pool.chunks_spilled() > 0, GetParam() < 1000 * kChunk);
  for (const std::size_t which : {3U, 0U, 4U, 1U, 2U}) {
    EXPECT_EQ(take_all(*logs[which]), expected[which]);
    EXPECT_FALSE(logs[which]->take().has_value()) << "an empty log stays empty";
  }
  EXPECT_EQ(pool.bytes_in_memory(), 0U);
  EXPECT_EQ(pool.chunks_spilled(), 0U);
}

TEST_P(MessageLogs, GiveTheirMemoryBackWhenTheyAreDroppedHalfRead) {
  std::mt19937 random(7);
  ChunkPool pool(GetParam());
  MessageLog kept(pool);
  {
    MessageLog dropped(pool);
    for (std::uint64_t lsn = 1; lsn <= 200; ++lsn) {
      dropped.append({wire::Lsn{lsn}, random_message(random, lsn).payload});
      kept.append({wire::Lsn{lsn}, "kept"});
    }
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(dropped.take().has_value());
  }
  EXPECT_EQ(take_all(kept).size(), 200U);
  EXPECT_EQ(pool.bytes_in_memory(), 0U);
  EXPECT_EQ(pool.chunks_spilled(), 0U);
}

TEST(MessageLog, ReadingHoldsNoMoreMemoryThanWriting) {
  ChunkPool pool(4 * kChunk);
  MessageLog log(pool);
  const std::string payload(1000, 'p');
  for (std::uint64_t lsn = 1; lsn <= 5000; ++lsn) log.append({wire::Lsn{lsn}, payload});
  EXPECT_GT(pool.chunks_spilled(), 50U);
  std::uint64_t spilled = pool.chunks_spilled();
  while (const auto message = log.take()) {
    ASSERT_EQ(message->payload, payload);
    ASSERT_LE(pool.bytes_in_memory(), 4 * kChunk);
    ASSERT_LE(pool.chunks_spilled(), spilled) << "what is read is not kept";
    spilled = pool.chunks_spilled();
  }
}

}  // namespace
}  // namespace walstorm::consumer
