#include "consumer/native_block.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "native_reader.h"
#include "proto/wire/error.h"
#include "proto/wire/task_run_table.h"

namespace walstorm::consumer {
namespace {

using namespace std::string_literals;

std::shared_ptr<const BlockLayout> layout_of(std::vector<RelationColumn> columns) {
  columns.push_back({true, "id", 25, -1});
  columns.push_back({true, "row_hash", 20, -1});
  Relation relation;
  relation.name = "TaskRun";
  relation.columns = columns;
  return std::make_shared<const BlockLayout>(make_block_layout(relation));
}

constexpr Value text(std::string_view bytes) {
  return {ValueKind::text, bytes};
}

wire::ErrorKind error_of(NativeBlock& block, const std::vector<Value>& values) {
  try {
    block.append({.values = values});
  } catch (const wire::Error& error) {
    return error.kind();
  }
  return wire::ErrorKind::internal;
}

TEST(BlockLayout, NamesBecomeSnakeCase) {
  EXPECT_EQ(snake_case("friendlyId"), "friendly_id");
  EXPECT_EQ(snake_case("usageDurationMs"), "usage_duration_ms");
  EXPECT_EQ(snake_case("row_hash"), "row_hash");
  EXPECT_EQ(snake_case("parentURL"), "parent_url");
  EXPECT_EQ(snake_case("Id"), "id");
}

TEST(BlockLayout, KnownColumnsAreNullableAsTheTableSaysAndUnknownOnesAlways) {
  const auto layout =
      layout_of({{false, "status", 25, -1}, {false, "error", 25, -1}, {false, "other", 23, -1}});
  EXPECT_EQ(clickhouse_type(layout->columns[0]), "String");
  EXPECT_EQ(clickhouse_type(layout->columns[1]), "Nullable(String)");
  EXPECT_EQ(clickhouse_type(layout->columns[2]), "Nullable(Int32)");
}

TEST(BlockLayout, ATableWithoutIdOrRowHashIsADataError) {
  const std::vector<RelationColumn> columns{{true, "id", 25, -1}};
  Relation relation;
  relation.columns = columns;
  EXPECT_THROW((void)make_block_layout(relation), wire::Error);
}

TEST(NativeBlock, IsByteForByteWhatClickHouseReads) {
  NativeBlock block;
  block.reset(layout_of({}));
  const std::vector<Value> row{text("a"), text("258")};
  block.append({.values = row, .version = wire::Lsn{3}});
  std::string bytes;
  block.serialize(bytes);
  EXPECT_EQ(bytes,
            "\x04\x01"s
            "\x02id\x06String\x01"s
            "a"s
            "\x08row_hash\x06UInt64\x02\x01\0\0\0\0\0\0"s
            "\x08_version\x06UInt64\x03\0\0\0\0\0\0\0"s
            "\x0b_is_deleted\x05UInt8\0"s);
  EXPECT_EQ(block.rows(), 1U);
  EXPECT_EQ(block.bytes(), 2U + 8U + 8U + 1U);
}

TEST(NativeBlock, LongStringsHaveLongLengths) {
  NativeBlock block;
  block.reset(layout_of({}));
  const std::string id(300, 'i');
  const std::vector<Value> row{text(id), text("0")};
  block.append({.values = row});
  std::string bytes;
  block.serialize(bytes);
  EXPECT_EQ(test::read_native(bytes)["id"].values[0], id);
}

TEST(NativeBlock, TextAndBinaryMixInOneTuple) {
  NativeBlock block;
  block.reset(layout_of({{false, "attempt", 23, -1}}));
  const std::string five = "\0\0\0\5"s;
  const std::vector<Value> row{{ValueKind::binary, five}, text("a"), text("-1")};
  block.append({.values = row});
  std::string bytes;
  block.serialize(bytes);
  auto read = test::read_native(bytes);
  EXPECT_EQ(read["attempt"].values[0], "5");
  EXPECT_EQ(read["row_hash"].values[0], "18446744073709551615");
}

TEST(NativeBlock, KeepsItsMemoryFromUseToUse) {
  NativeBlock block;
  const auto layout = layout_of({});
  block.reset(layout);
  const std::string id(100, 'i');
  const std::vector<Value> row{text(id), text("0")};
  for (int i = 0; i < 100; ++i) block.append({.values = row});
  const std::uint64_t capacity = block.capacity_bytes();
  block.reset(layout);
  EXPECT_EQ(block.rows(), 0U);
  EXPECT_EQ(block.bytes(), 0U);
  for (int i = 0; i < 100; ++i) block.append({.values = row});
  EXPECT_EQ(block.capacity_bytes(), capacity);
}

TEST(NativeBlock, WhatCannotLandIsADataErrorThatNamesTheColumn) {
  NativeBlock block;
  block.reset(layout_of({{false, "attempt", 23, -1}}));
  EXPECT_EQ(error_of(block, {text("five"), text("a"), text("0")}), wire::ErrorKind::data);
  EXPECT_EQ(error_of(block, {{}, text("a"), text("0")}), wire::ErrorKind::data);  // NULL where none may be
  EXPECT_EQ(error_of(block, {{ValueKind::unchanged_toast, {}}, text("a"), text("0")}), wire::ErrorKind::data);
  EXPECT_EQ(error_of(block, {text("a"), text("0")}), wire::ErrorKind::protocol);
}

TEST(NativeBlock, AJsonbsVersionByteDoesNotLand) {
  NativeBlock block;
  block.reset(layout_of({{false, "doc", 3802, -1}}));
  const std::vector<Value> row{{ValueKind::binary, "\1{}"}, text("a"), text("0")};
  block.append({.values = row});
  std::string bytes;
  block.serialize(bytes);
  EXPECT_EQ(test::read_native(bytes)["doc"].values[0], "{}");
  EXPECT_EQ(error_of(block, {{ValueKind::binary, "\2{}"}, text("a"), text("0")}), wire::ErrorKind::data);
}

}  // namespace
}  // namespace walstorm::consumer
