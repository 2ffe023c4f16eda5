#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/batch/block.h"

/// What tests of blocks fill them with.
namespace walstorm::consumer::test {

/// Types by their object ids.
inline constexpr std::uint32_t kBool = 16;
inline constexpr std::uint32_t kInt8 = 20;
inline constexpr std::uint32_t kInt4 = 23;
inline constexpr std::uint32_t kText = 25;
inline constexpr std::uint32_t kFloat8 = 701;
inline constexpr std::uint32_t kTextArray = 1009;
inline constexpr std::uint32_t kTimestamp = 1184;
inline constexpr std::uint32_t kJsonb = 3802;

/// The columns, then id and row_hash.
inline std::shared_ptr<const BlockLayout> layout_of(std::vector<RelationColumn> columns) {
  columns.push_back({true, "id", kText, -1});
  columns.push_back({true, "row_hash", kInt8, -1});
  Relation relation;
  relation.name = "TaskRun";
  relation.columns = columns;
  return std::make_shared<const BlockLayout>(make_block_layout(relation));
}

constexpr Value text(std::string_view bytes) {
  return {ValueKind::text, bytes};
}
constexpr Value binary(std::string_view bytes) {
  return {ValueKind::binary, bytes};
}

inline std::string serialized(const Block& block) {
  std::string bytes;
  block.serialize(bytes);
  return bytes;
}

}  // namespace walstorm::consumer::test
