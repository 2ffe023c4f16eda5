#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "consumer/batch/batch.h"
#include "consumer/batch/lsn_tracker.h"

namespace walstorm::consumer {

struct BatchLimits {
  /// A cap: transactions are cut to keep it.
  std::uint64_t records_max = 0;
  /// How old the first record may get before the batch is due.
  std::int64_t age_max_us = 0;
};

/// Cuts the stream of records into batches. Pure: says when a batch is due, leaves acting on it to the owner.
class Batcher final {
 public:
  using OnCut = std::function<void(std::unique_ptr<Batch>)>;

  /// `pool` and `tracker` outlive the batcher. `on_cut` gets every batch that is ready to be flushed.
  Batcher(const BatchLimits& limits, BatchPool& pool, LsnTracker& tracker, OnCut on_cut);

  /// The batch that the next record of `layout`, read at `now_steady_us`, goes into.
  [[nodiscard]] Batch& batch_for(const std::shared_ptr<const BlockLayout>& layout,
                                 std::int64_t now_steady_us);

  /// A record has been added to the batch: cuts it when it is full.
  void record_added();

  /// Records from now on belong to `phase`: a batch never spans two.
  void start_phase(std::uint32_t phase);

  /// Cuts the open batch, if there is one.
  void cut();

  /// When the open batch falls due, on the steady clock. Call only while there is one.
  [[nodiscard]] std::int64_t due_steady_us() const { return open_->opened_steady_us + limits_.age_max_us; }

  /// The batch being filled, or null. It has at least one record, except within an append.
  [[nodiscard]] const Batch* open() const { return open_.get(); }

 private:
  BatchLimits limits_;
  BatchPool& pool_;
  LsnTracker& tracker_;
  OnCut on_cut_;
  std::unique_ptr<Batch> open_;
  std::uint32_t phase_ = 0;
};

}  // namespace walstorm::consumer
