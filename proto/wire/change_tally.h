#pragma once

#include <cstdint>

#include "proto/metrics.pb.h"

namespace walstorm::wire {

/// Row changes, counted and summed: the unit of the change ledger. Two tallies are equal when they hold the
/// same changes in any order, up to collisions of a 64-bit XOR and a 64-bit sum at once.
struct ChangeTally {
  std::uint64_t inserts = 0;
  std::uint64_t updates = 0;
  std::uint64_t deletes = 0;
  std::uint64_t hash_xor = 0;
  std::uint64_t hash_sum = 0;  ///< modulo 2^64

  friend bool operator==(const ChangeTally&, const ChangeTally&) = default;

  [[nodiscard]] std::uint64_t records() const { return inserts + updates + deletes; }

  void add_insert(std::uint64_t row_hash) { ++inserts, fold(row_hash); }
  void add_update(std::uint64_t row_hash) { ++updates, fold(row_hash); }
  /// `row_hash` is that of the row removed.
  void add_delete(std::uint64_t row_hash) { ++deletes, fold(row_hash); }

  void merge(const ChangeTally& other);

 private:
  void fold(std::uint64_t row_hash) {
    hash_xor ^= row_hash;
    hash_sum += row_hash;
  }
};

/// A set of rows, counted and summed: the unit of the row ledger.
struct RowTally {
  std::uint64_t rows = 0;
  std::uint64_t hash_xor = 0;
  std::uint64_t hash_sum = 0;  ///< modulo 2^64

  friend bool operator==(const RowTally&, const RowTally&) = default;

  void add(std::uint64_t row_hash) { ++rows, hash_xor ^= row_hash, hash_sum += row_hash; }
  /// Takes out a row that was added.
  void remove(std::uint64_t row_hash) { --rows, hash_xor ^= row_hash, hash_sum -= row_hash; }

  void merge(const RowTally& other);
};

void to_proto(const ChangeTally& tally, proto::ChangeTally& out);
[[nodiscard]] ChangeTally from_proto(const proto::ChangeTally& in);
void to_proto(const RowTally& tally, proto::RowTally& out);
[[nodiscard]] RowTally from_proto(const proto::RowTally& in);

}  // namespace walstorm::wire
