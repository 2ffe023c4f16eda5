#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "producer/rows/row_version.h"

namespace walstorm::producer {

enum class Status : std::uint8_t { pending, queued, executing, completed, failed, canceled };

/// As the status column shows it: "PENDING", ...
[[nodiscard]] std::string_view to_string(Status status);

/// What a version of a row says, before it is put into columns. A function of the seed and the version alone:
/// no clock, no state, so every row can be made again to compare it.
///
/// A row walks PENDING -> QUEUED -> EXECUTING -> COMPLETED or FAILED, one step per version; some skip QUEUED,
/// some are CANCELED on the way. From then on an update is another attempt with the same end.
struct RowFacts {
  RowVersion row;
  std::uint64_t key = 0;   ///< row_key: random bits that stay over the row's life
  std::uint64_t hash = 0;  ///< row_hash: random bits of this version
  Status status = Status::pending;
  std::int32_t attempt = 1;
  std::int64_t usage_ms = 0;  ///< 0 until it has run to an end
  /// Milliseconds since 1970.
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  std::optional<std::int64_t> started_ms;
  std::optional<std::int64_t> completed_ms;
};

[[nodiscard]] RowFacts facts_of(std::uint64_t seed, RowVersion row);

/// When the row was made: grows with its number, a few milliseconds a row, and differs for each.
[[nodiscard]] std::int64_t created_unix_ms(std::uint64_t key, RowId id);

}  // namespace walstorm::producer
