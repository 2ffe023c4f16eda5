#include "consumer/decode/chunk_pool.h"

#include <algorithm>

namespace walstorm::consumer {

ChunkPool::ChunkPool(std::uint64_t memory_bytes_max)
    : frames_max_(std::max<std::uint64_t>(1, memory_bytes_max / kChunkBytes)) {}

void ChunkPool::open(Chunk& chunk) {
  const std::uint64_t frame = frame_for_use();
  frames_[frame].chunk = &chunk;
  chunk = {.place = frame, .used = 0, .in_memory = true};
}

void ChunkPool::release(const Chunk& chunk) {
  if (chunk.in_memory) {
    frames_[chunk.place].chunk = nullptr;
    free_.push_back(chunk.place);
  } else {
    file_.release(chunk.place);
  }
}

std::uint64_t ChunkPool::frame_for_use() {
  if (free_.empty() && frames_.size() < frames_max_) {
    frames_.push_back({std::make_unique_for_overwrite<char[]>(kChunkBytes), nullptr});
    return frames_.size() - 1;
  }
  if (free_.empty()) {
    const std::size_t frame = oldest_;
    spill(frames_[frame]);
    oldest_ = (oldest_ + 1) % frames_max_;  // all are in use, so round and round is oldest first, nearly
    return frame;
  }
  const std::uint64_t frame = free_.back();
  free_.pop_back();
  return frame;
}

void ChunkPool::spill(Frame& frame) {
  Chunk& chunk = *frame.chunk;
  chunk.place = file_.write({frame.bytes.get(), chunk.used});
  chunk.in_memory = false;
  bytes_spilled_ += chunk.used;
  frame.chunk = nullptr;
}

}  // namespace walstorm::consumer
