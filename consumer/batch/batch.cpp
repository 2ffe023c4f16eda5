#include "consumer/batch/batch.h"

#include <utility>

namespace walstorm::consumer {

void Batch::note(wire::Lsn lsn, std::int64_t commit_unix_us, const Instant& received) {
  if (runs.empty()) first_lsn = lsn;
  last_lsn = lsn;
  if (runs.empty() || runs.back().commit_unix_us != commit_unix_us || runs.back().received != received) {
    runs.push_back({commit_unix_us, received, 0});
  }
  ++runs.back().records;
}

std::unique_ptr<Batch> BatchPool::take(const std::shared_ptr<const BlockLayout>& layout) {
  std::unique_ptr<Batch> batch;
  if (free_.empty()) {
    batch = std::make_unique<Batch>(make_block_());
  } else {
    batch = std::move(free_.back());
    free_.pop_back();
    bytes_ -= batch->block->capacity_bytes();
  }
  batch->block->reset(layout);
  batch->changes = {};
  batch->runs.clear();
  return batch;
}

void BatchPool::give_back(std::unique_ptr<Batch> batch) {
  const std::uint64_t bytes = batch->block->capacity_bytes();
  if (bytes_ + bytes > bytes_max_) return;
  bytes_ += bytes;
  free_.push_back(std::move(batch));
}

}  // namespace walstorm::consumer
