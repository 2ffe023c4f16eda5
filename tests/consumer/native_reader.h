#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace walstorm::consumer::test {

struct NativeColumn {
  std::string type;
  /// One per row, as text: "NULL", "['a','b']", numbers in decimal, strings as they are.
  std::vector<std::string> values;
};

/// Reads a Native block as ClickHouse would, column name -> column. Throws when it is not one.
[[nodiscard]] std::map<std::string, NativeColumn> read_native(std::string_view block);

}  // namespace walstorm::consumer::test
