#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "orchestrator/profile/preload/heap_dump.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// What a target's heap did in one phase, or over all of them.
struct HeapFigures {
  Blocks begin, end;  ///< in use
  Blocks taken;       ///< meanwhile, what was given back since included
  /// Resident memory by /proc; nullopt where a process could not be asked.
  std::optional<std::uint64_t> rss_begin_bytes, rss_end_bytes;

  [[nodiscard]] std::int64_t grown_bytes() const {
    return static_cast<std::int64_t>(end.bytes) - static_cast<std::int64_t>(begin.bytes);
  }
  HeapFigures& operator+=(const HeapFigures& more);
};

/// The same by call stack. Frames are numbers in HeapBook::frames().
struct HeapStack {
  std::string phase, target;
  std::vector<std::uint32_t> frames;
  bool broken = false;
  HeapFigures figures;
};

/// What the heaps of workers held when phases began and ended. A value; several workers of a target are one.
class HeapBook final {
 public:
  /// One worker in one phase: both dumps are of the same process.
  void add(const std::string& phase, const std::string& target, const HeapDump& begin, const HeapDump& end,
           std::optional<std::uint64_t> rss_begin_bytes, std::optional<std::uint64_t> rss_end_bytes);

  using Key = std::pair<std::string, std::string>;  // phase, target
  [[nodiscard]] const std::map<Key, HeapFigures>& totals() const { return totals_; }
  [[nodiscard]] const std::vector<HeapStack>& stacks() const { return stacks_; }
  [[nodiscard]] bool empty() const { return totals_.empty(); }

  /// For the flame page and folded stacks: kinds in_use (at the phase's end), grown and taken, in blocks and
  /// bytes. What has become less is not in it.
  [[nodiscard]] Profile profile() const;
  /// A stack of stacks() as call_site() wants it.
  [[nodiscard]] const Profile& frames() const { return frames_; }

 private:
  Profile frames_;  // as their register
  std::map<Key, HeapFigures> totals_;
  std::vector<HeapStack> stacks_;
  std::map<std::tuple<std::string, std::string, std::vector<std::uint32_t>>, std::size_t> places_;
};

}  // namespace walstorm::profile
