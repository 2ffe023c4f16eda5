#include "producer/rows/ledger.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace walstorm::producer {
namespace {

std::uint64_t share_of(std::uint64_t count, double share) {
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * share));
}

}  // namespace

Ledger::Ledger(std::uint64_t seed, std::uint32_t slot, const Mix& mix, std::size_t remembered_max)
    : seed_(seed),
      slot_(slot),
      change_share_(1 - (1 - mix.delete_ratio) * mix.insert_update_ratio),
      delete_share_(change_share_ > 0 ? mix.delete_ratio / change_share_ : 0),
      remembered_max_(remembered_max),
      random_(row_hash(seed, {RowId::of(slot, 0), 0})) {}

Batch Ledger::stage(std::uint32_t records) {
  const std::uint64_t changes_before = share_of(records_, change_share_);
  records_ += records;
  const std::uint64_t changes_after = share_of(records_, change_share_);
  const std::uint64_t changes_due = changes_after - changes_before;
  const std::uint64_t deletes_due =
      share_of(changes_after, delete_share_) - share_of(changes_before, delete_share_);
  const std::size_t changes = std::min<std::size_t>(changes_due, live_.size());
  const std::size_t deletes = std::min<std::size_t>(deletes_due, changes);

  Batch batch;
  batch.became_inserts = static_cast<std::uint32_t>(changes_due - changes);
  draw_targets(changes - deletes, deletes, batch);
  add_inserts(records - changes, batch);
  return batch;
}

Batch Ledger::stage_inserts(std::uint32_t records) {
  Batch batch;
  add_inserts(records, batch);
  return batch;
}

void Ledger::add_inserts(std::size_t rows, Batch& batch) {
  batch.inserts.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) batch.inserts.push_back({RowId::of(slot_, next_sequence_++), 0});
}

/// The first steps of a Fisher-Yates shuffle, from the end: distinct rows, each equally likely, at a cost
/// that does not depend on how many rows are live.
void Ledger::draw_targets(std::size_t updates, std::size_t deletes, Batch& batch) {
  for (std::size_t drawn = 0; drawn < updates + deletes; ++drawn) {
    const std::size_t left = live_.size() - drawn;
    RowVersion& target = live_[left - 1];
    std::swap(live_[random_.next_below(left)], target);
    if (drawn < updates) {
      batch.updates.push_back({target.id, target.version + 1});
    } else {
      batch.deletes.push_back(target);
    }
  }
}

void Ledger::commit(const Batch& batch, wire::ChangeTally& phase) {
  const std::size_t updates = batch.updates.size();
  for (std::size_t i = 0; i < updates; ++i) {
    const RowVersion updated = batch.updates[i];
    const std::uint64_t hash = row_hash(seed_, updated);
    expected_.remove(row_hash(seed_, {updated.id, updated.version - 1}));
    expected_.add(hash);
    phase.add_update(hash);
    live_[live_.size() - 1 - i] = updated;
  }
  for (const RowVersion& deleted : batch.deletes) {
    const std::uint64_t hash = row_hash(seed_, deleted);
    expected_.remove(hash);
    phase.add_delete(hash);
  }
  const auto updates_begin = live_.end() - static_cast<std::ptrdiff_t>(updates);
  live_.erase(updates_begin - static_cast<std::ptrdiff_t>(batch.deletes.size()), updates_begin);
  for (const RowVersion& inserted : batch.inserts) {
    const std::uint64_t hash = row_hash(seed_, inserted);
    expected_.add(hash);
    phase.add_insert(hash);
    remember(inserted);
  }
}

void Ledger::remember(RowVersion row) {
  if (live_.size() < remembered_max_) {
    live_.push_back(row);
  } else if (remembered_max_ == 0) {
    freeze(row);
  } else {
    freeze(std::exchange(live_[random_.next_below(live_.size())], row));
  }
}

/// Reservoir sampling (Vitter's algorithm R): every frozen row is equally likely to be in the sample.
void Ledger::freeze(RowVersion row) {
  ++frozen_rows_;
  if (frozen_sample_.size() < kFrozenSampleMax) {
    frozen_sample_.push_back(row);
  } else if (const std::uint64_t at = random_.next_below(frozen_rows_); at < kFrozenSampleMax) {
    frozen_sample_[at] = row;
  }
}

}  // namespace walstorm::producer
