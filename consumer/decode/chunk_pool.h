#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "consumer/decode/spill_file.h"

namespace walstorm::consumer {

/// A piece of a MessageLog, in the pool's memory or in its file.
struct Chunk {
  std::uint64_t place = 0;  ///< the number of a frame or of a slot
  std::uint32_t used = 0;   ///< bytes
  bool in_memory = false;
};

/// Chunks for all logs together: the latest in a bounded memory, the others in a file.
///
/// When memory is full, whatever has been there longest goes to the file, be it half empty: with more logs
/// than memory has room for there is no better choice, and a hole in the file takes no disk.
class ChunkPool final {
 public:
  static constexpr std::size_t kChunkBytes = 64UL << 10U;

  /// At least one chunk is kept in memory.
  explicit ChunkPool(std::uint64_t memory_bytes_max);

  /// Makes `chunk` an empty one in memory. It must stay where it is until release().
  void open(Chunk& chunk);
  /// Where a chunk that is in memory lies: kChunkBytes of room.
  [[nodiscard]] char* bytes_of(const Chunk& chunk) const { return frames_[chunk.place].bytes.get(); }
  /// Copies a chunk that is in the file to `into`, which has room for it.
  void read(const Chunk& chunk, char* into) const { file_.read(chunk.place, {into, chunk.used}); }
  /// `chunk` is of no use any more.
  void release(const Chunk& chunk);

  [[nodiscard]] std::uint64_t bytes_in_memory() const {
    return (frames_.size() - free_.size()) * kChunkBytes;
  }
  [[nodiscard]] std::uint64_t chunks_spilled() const { return file_.slots_in_use(); }
  /// Over the pool's life.
  [[nodiscard]] std::uint64_t bytes_spilled() const { return bytes_spilled_; }

 private:
  struct Frame {
    std::unique_ptr<char[]> bytes;
    Chunk* chunk = nullptr;
  };

  [[nodiscard]] std::uint64_t frame_for_use();
  void spill(Frame& frame);

  std::size_t frames_max_;
  std::vector<Frame> frames_;        // made when needed, then kept
  std::vector<std::uint64_t> free_;  // numbers of frames
  std::size_t oldest_ = 0;           // when none is free: where the search for the next to spill begins
  SpillFile file_{kChunkBytes};
  std::uint64_t bytes_spilled_ = 0;
};

}  // namespace walstorm::consumer
