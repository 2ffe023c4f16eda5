#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/batch/block_layout.h"
#include "proto/control.pb.h"

namespace walstorm::consumer::test {

struct LandedColumn {
  std::string type;
  /// One per row, as text: "NULL", "['a','b']", numbers in decimal, strings as they are.
  std::vector<std::string> values;
};

/// Column name -> column. Native names its columns and types itself.
using LandedBlock = std::map<std::string, LandedColumn>;

/// Reads a Native block as ClickHouse would. Throws when it is not one, as the others do.
[[nodiscard]] LandedBlock read_native(std::string_view block);

/// Reads a block in any format as ClickHouse would into columns of the types that the layout asks for.
[[nodiscard]] LandedBlock read_block(proto::InsertFormat format, const BlockLayout& layout,
                                     std::string_view block);

}  // namespace walstorm::consumer::test
