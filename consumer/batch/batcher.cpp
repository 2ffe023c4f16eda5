#include "consumer/batch/batcher.h"

#include <utility>

namespace walstorm::consumer {

Batcher::Batcher(const BatchLimits& limits, BatchPool& pool, LsnTracker& tracker, OnCut on_cut)
    : limits_(limits), pool_(pool), tracker_(tracker), on_cut_(std::move(on_cut)) {}

Batch& Batcher::batch_for(const std::shared_ptr<const BlockLayout>& layout, std::int64_t now_steady_us) {
  if (open_ && open_->block->layout() != layout) cut();
  if (!open_) {
    open_ = pool_.take(layout);
    open_->number = tracker_.open_batch();
    open_->phase = phase_;
    open_->opened_steady_us = now_steady_us;
  }
  return *open_;
}

void Batcher::record_added() {
  if (open_->changes.records() >= limits_.records_max) cut();
}

void Batcher::start_phase(std::uint32_t phase) {
  cut();
  phase_ = phase;
}

void Batcher::cut() {
  if (open_) on_cut_(std::exchange(open_, nullptr));
}

}  // namespace walstorm::consumer
