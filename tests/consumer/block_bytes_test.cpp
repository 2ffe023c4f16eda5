#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "block_reader.h"
#include "block_rows.h"
#include "consumer/encode/block_form.h"
#include "proto/wire/error.h"

namespace walstorm::consumer {
namespace {

using namespace std::string_literals;
using namespace test;
using Strings = std::vector<std::string>;

TEST(BlockBytes, NativeIsByteForByteWhatClickHouseReads) {
  const auto block = make_block({.run_number = 9});
  block->reset(layout_of({}));
  const std::vector<Value> row{text("a"), text("258")};
  block->append({.values = row, .version = wire::Lsn{3}});
  EXPECT_EQ(serialized(*block),
            "\x05\x01"s
            "\x02id\x06String\x01"s
            "a"s
            "\x08row_hash\x06UInt64\x02\x01\0\0\0\0\0\0"s
            "\x08_version\x06UInt64\x03\0\0\0\0\0\0\0"s
            "\x0b_is_deleted\x05UInt8\0"s
            "\x07_run_id\x06UInt64\x09\0\0\0\0\0\0\0"s);
  EXPECT_EQ(block->rows(), 1U);
  EXPECT_EQ(block->bytes(), 2U + 8U + 8U + 1U);
}

TEST(BlockBytes, NativeNamesTimesAsTheTableHasThem) {
  const auto layout = layout_of({{false, "createdAt", kTimestamp, -1}, {false, "startedAt", kTimestamp, -1}});
  const std::vector<Value> row{text("1970-01-01 00:00:01+00"), {}, text("a"), text("0")};
  for (const bool times_as_int64 : {false, true}) {
    const auto block = make_block({.times_as_int64 = times_as_int64});
    block->reset(layout);
    block->append({.values = row});
    auto read = test::read_native(serialized(*block));
    EXPECT_EQ(read["created_at"].type, times_as_int64 ? "Int64" : "DateTime64(3, 'UTC')");
    EXPECT_EQ(read["created_at"].values, Strings{"1000"});
    EXPECT_EQ(read["started_at"].type, times_as_int64 ? "Nullable(Int64)" : "Nullable(DateTime64(3, 'UTC'))");
  }
}

TEST(BlockBytes, RowBinaryIsByteForByteWhatClickHouseReads) {
  const auto block = make_block({.format = proto::INSERT_FORMAT_ROW_BINARY, .run_number = 9});
  block->reset(layout_of({{false, "error", kText, -1}, {false, "tags", kTextArray, -1}}));
  const std::string id(300, 'i');
  const std::vector<Value> first{text("e"), text("{x,NULL}"), text(id), text("258")};
  const std::vector<Value> second{{}, text("{}"), text(""), text("0")};
  block->append({.values = first, .version = wire::Lsn{3}});
  block->append({.values = second, .version = wire::Lsn{4}, .deleted = true});
  EXPECT_EQ(serialized(*block), "\0\1e\2\1x\0\xac\x02"s + id +
                                    "\x02\x01\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0"s
                                    "\1\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\1\x09\0\0\0\0\0\0\0"s);
}

TEST(BlockBytes, JsonCompactEachRowIsByteForByteWhatClickHouseReads) {
  const auto block = make_block({.format = proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW, .run_number = 9});
  block->reset(layout_of({{false, "error", kText, -1},
                          {false, "tags", kTextArray, -1},
                          {false, "isTest", kBool, -1},
                          {false, "costInCents", kFloat8, -1},
                          {false, "createdAt", kTimestamp, -1}}));
  const std::vector<Value> first{
      text("a\"\x02\n"), text("{x,NULL}"), text("t"), text("-0"), text("1969-12-31 23:59:59.999+00"),
      text("é"),         text("-1")};
  const std::vector<Value> second{
      {}, text("{}"), text("f"), text("-Infinity"), text("2001-09-09 01:46:40+00"), text(""), text("0")};
  block->append({.values = first, .version = wire::Lsn{3}});
  block->append({.values = second, .version = wire::Lsn{4}, .deleted = true});
  EXPECT_EQ(serialized(*block), R"(["a\"\u0002\n",["x",""],1,-0,-1,"é",18446744073709551615,3,0,9])"
                                "\n"
                                R"([null,[],0,"-inf",1000000000000,"",0,4,1,9])"
                                "\n");
}

TEST(BlockBytes, JsonEscapesWhereverItIsInTheText) {
  const auto layout = layout_of({});
  const auto block = make_block({.format = proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW});
  block->reset(layout);
  constexpr std::uint64_t kSeed = 11;
  std::mt19937_64 random(kSeed);
  Strings ids;
  for (int i = 0; i < 20'000; ++i) {
    std::string& id = ids.emplace_back(random() % 40, 'x');
    for (char& c : id) {
      if (random() % 4 == 0) c = static_cast<char>(random() % 0x80);
    }
  }
  for (const std::string& id : ids) {
    const std::vector<Value> row{text(id), text("0")};
    block->append({.values = row});
  }
  EXPECT_EQ(
      test::read_block(proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW, *layout, serialized(*block))["id"].values,
      ids)
      << "seed " << kSeed;
}

TEST(BlockBytes, AFormatFromTheFutureIsRefused) {
  try {
    (void)make_block({.format = static_cast<proto::InsertFormat>(99)});
    FAIL();
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::protocol);
  }
}

}  // namespace
}  // namespace walstorm::consumer
