#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "producer/postgres/pg_connection.h"
#include "producer/rows/ledger.h"
#include "producer/rows/random.h"
#include "producer/rows/row_source.h"

namespace walstorm::producer {

/// Draws `rows` distinct rows, each row of the population equally likely, or all there are when that is
/// fewer. Where a group knows fewer rows than it stands for, no more than those can be drawn from it.
[[nodiscard]] std::vector<RowVersion> pick_sample(std::vector<Candidates> groups, std::uint64_t rows,
                                                  Random& random);

/// What a content check found; the fields of ContentChecked in proto/metrics.proto.
struct ContentReport {
  static constexpr std::size_t kDifferencesMax = 10;

  std::uint64_t sampled = 0;
  std::uint64_t matching = 0;
  std::vector<std::string> differences;
  std::vector<std::string> ids;  ///< of the rows sampled

  void add_match();
  /// One sentence about a row that differs; beyond kDifferencesMax only counted.
  void add_difference(std::string sentence);
};

/// The columns in which a row read back is not what it should be: `expected` holds all columns of that one
/// row, `actual` those read.
[[nodiscard]] std::vector<std::string_view> differing_columns(
    const EncodedRows& expected, std::span<const std::optional<std::string_view>> actual);

/// Reads the rows of `sample` back, some at a time by their size, and compares them with what the source
/// says, byte by byte. Blocks. Throws Error{data} when the server refuses to answer.
[[nodiscard]] ContentReport check_content(PgConnection& connection, const RowSource& source,
                                          std::span<const RowVersion> sample, std::size_t row_bytes_mean);

}  // namespace walstorm::producer
