#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace walstorm::measure {

/// A row of the workload's table as text that either server can be asked for, so that two copies of it can be
/// compared value by value: its columns in wire::kTaskRunColumns' order, NULL as nullopt.
///
///   text                       as it is
///   text[]                     each element as "<bytes>:<element>", one after the other; NULL as ""
///   integer, bigint            decimal
///   double precision           its 64 bits, read as a signed integer: decimal
///   boolean                    0 or 1
///   timestamp with time zone   milliseconds since 1970: decimal
///
/// `row_hash` is a bigint in PostgreSQL and unsigned in ClickHouse: signed here.
using RowText = std::vector<std::optional<std::string>>;

/// By id.
using RowTexts = std::map<std::string, RowText>;

struct RowComparison {
  std::uint64_t matching = 0;
  /// One sentence about a row that is missing or differs: which, and in which columns. Of the first few.
  std::vector<std::string> differences;
};

/// Compares, of the rows `ids`, the `copy` that stands in `where` ("ClickHouse") with the `original`. A row
/// that the original does not have either is no match.
[[nodiscard]] RowComparison compare_rows(const std::vector<std::string>& ids, const RowTexts& original,
                                         const RowTexts& copy, std::string_view where);

}  // namespace walstorm::measure
