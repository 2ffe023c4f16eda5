#pragma once

#include <cstdint>

#include "producer/rows/random.h"

namespace walstorm::producer {

/// Which row: the connection slot that made it and its number among that slot's rows. Slots count over all
/// producers (see StartPhase in proto/control.proto), so an id is unique in a run.
struct RowId {
  static constexpr unsigned kSequenceBits = 40;
  static constexpr std::uint32_t kSlotsMax = 1U << 16;

  std::uint64_t value = 0;

  [[nodiscard]] static constexpr RowId of(std::uint32_t slot, std::uint64_t sequence) {
    return RowId{(std::uint64_t{slot} << kSequenceBits) | sequence};
  }

  [[nodiscard]] constexpr std::uint32_t slot() const {
    return static_cast<std::uint32_t>(value >> kSequenceBits);
  }
  [[nodiscard]] constexpr std::uint64_t sequence() const {
    return value & ((std::uint64_t{1} << kSequenceBits) - 1);
  }

  friend constexpr bool operator==(RowId, RowId) = default;
};

/// A row as it was after `version` updates: together with the run's seed this is all of its contents.
struct RowVersion {
  RowId id;
  std::uint32_t version = 0;

  friend constexpr bool operator==(RowVersion, RowVersion) = default;
};

/// What is random about a row and stays so: the source of the columns that no update touches.
[[nodiscard]] constexpr std::uint64_t row_key(std::uint64_t seed, RowId id) {
  return mix64(mix64(seed + kGolden) ^ (id.value * kGolden));
}

/// The row_hash column: 64 bits that differ for every (seed, row id, version), as DESIGN section 5 asks.
[[nodiscard]] constexpr std::uint64_t row_hash(std::uint64_t seed, RowVersion row) {
  return mix64(row_key(seed, row.id) + (row.version + 1) * kGolden);
}

}  // namespace walstorm::producer
