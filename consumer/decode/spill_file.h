#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace walstorm::consumer {

/// Slots of one size on disk, for what does not fit in memory.
///
/// The file is made in TMPDIR at the first write and has no name from then on: nobody else opens it, and it
/// is gone with the process, however that ends. It is as large as the most that was ever in it at once, and
/// shrinks to nothing whenever it is empty. Reading and writing block, as a rule for no longer than a copy
/// into the page cache.
class SpillFile final {
 public:
  explicit SpillFile(std::size_t slot_bytes) : slot_bytes_(slot_bytes) {}
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;
  ~SpillFile();

  /// Puts `bytes`, a slot's at most, into a free slot and returns its number. Throws Error{unavailable} with
  /// what to do when there is no room for it.
  [[nodiscard]] std::uint64_t write(std::string_view bytes);
  /// Fills `into` with what the slot begins with.
  void read(std::uint64_t slot, std::span<char> into) const;
  void release(std::uint64_t slot);

  [[nodiscard]] std::uint64_t slots_in_use() const { return slots_ - free_.size(); }

 private:
  void open();
  [[noreturn]] void fail(const char* doing) const;

  std::size_t slot_bytes_;
  int file_ = -1;
  std::string folder_;
  std::uint64_t slots_ = 0;  // that the file has, in use or free
  std::vector<std::uint64_t> free_;
};

}  // namespace walstorm::consumer
