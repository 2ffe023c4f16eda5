#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "producer/rows/random.h"
#include "producer/rows/row_version.h"
#include "proto/wire/change_tally.h"

namespace walstorm::producer {

/// Shares of the kinds of records, each 0 to 1.
struct Mix {
  double insert_update_ratio = 1;  ///< of inserts among inserts and updates
  double delete_ratio = 0;         ///< of deletes among all records
};

/// One transaction's changes, in the order in which they are written: inserts, updates, deletes; no row
/// twice.
struct Batch {
  std::vector<RowVersion> inserts;
  std::vector<RowVersion> updates;  ///< as they will be
  std::vector<RowVersion> deletes;  ///< as they are
  std::uint32_t became_inserts = 0;

  [[nodiscard]] std::size_t records() const { return inserts.size() + updates.size() + deletes.size(); }
};

/// Rows from which a content check may draw: all of `rows`, which stand for `population` rows.
struct Candidates {
  std::vector<RowVersion> rows;
  std::uint64_t population = 0;
};

/// What one connection has written: the rows it made, their versions, and what the next batch changes.
///
/// A connection changes only rows it made itself, so it knows every row's version without asking. Up to
/// `remembered_max` rows are targets of updates and deletes. Beyond that a new row takes the place of a
/// random one, which stays in the table but is never changed again ("frozen"); of the frozen ones a uniform
/// sample is kept for the content check. Memory is bounded, whatever the run's length.
///
/// A batch is staged, written, then committed, or dropped as if it had never been: tallies move only with a
/// COMMIT. Batches with updates or deletes follow each other; of those that only insert several may be under
/// way at a time.
class Ledger final {
 public:
  static constexpr std::size_t kFrozenSampleMax = 1000;

  Ledger(std::uint64_t seed, std::uint32_t slot, const Mix& mix, std::size_t remembered_max);

  /// Draws the next batch of `records`. The shares of inserts, updates and deletes are exact over the
  /// connection's life (error diffusion). A change due where no live row is left that this batch does not
  /// change already becomes an insert. Row ids of a batch that is dropped are not used again.
  [[nodiscard]] Batch stage(std::uint32_t records);

  /// The same for a batch of new rows alone, which is no part of those shares.
  [[nodiscard]] Batch stage_inserts(std::uint32_t records);

  /// True where every batch only inserts: whose connection writes it is of no consequence then.
  [[nodiscard]] bool only_inserts() const { return change_share_ <= 0; }

  /// The batch is in the table: counts it into `phase`, and lives on with its rows.
  void commit(const Batch& batch, wire::ChangeTally& phase);

  /// All rows that should be in the table.
  [[nodiscard]] const wire::RowTally& expected() const { return expected_; }

  /// All rows that should be in the table, as two groups: those remembered, and those frozen.
  [[nodiscard]] Candidates remembered() const { return {live_, live_.size()}; }
  [[nodiscard]] Candidates frozen() const { return {frozen_sample_, frozen_rows_}; }

 private:
  void add_inserts(std::size_t rows, Batch& batch);
  void draw_targets(std::size_t updates, std::size_t deletes, Batch& batch);
  void remember(RowVersion row);
  void freeze(RowVersion row);

  std::uint64_t seed_;
  std::uint32_t slot_;
  double change_share_;  // of updates and deletes among all records
  double delete_share_;  // of deletes among updates and deletes
  std::size_t remembered_max_;
  Random random_;

  std::uint64_t records_ = 0;  // staged since the connection began: what the shares are shares of
  std::uint64_t next_sequence_ = 0;
  // The targets of the staged batch are moved to the end: ... others ..., deletes, updates.
  std::vector<RowVersion> live_;
  std::vector<RowVersion> frozen_sample_;
  std::uint64_t frozen_rows_ = 0;
  wire::RowTally expected_;
};

}  // namespace walstorm::producer
