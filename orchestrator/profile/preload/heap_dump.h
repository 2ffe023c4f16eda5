#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace walstorm::profile {

/// Blocks of memory, and their bytes.
struct Blocks {
  std::uint64_t count = 0, bytes = 0;

  Blocks& operator+=(const Blocks& more) {
    count += more.count, bytes += more.bytes;
    return *this;
  }
  friend bool operator==(const Blocks&, const Blocks&) = default;
};

/// What a process's heap held at one moment, by where it was taken.
struct HeapDump {
  struct Stack {
    Blocks in_use;
    Blocks taken;                          ///< since the process began, what was given back since included
    std::vector<std::uint64_t> addresses;  ///< return addresses, innermost first
  };

  Blocks in_use, taken;  ///< in all, as the profiler has counted it
  std::vector<Stack> stacks;
  std::string maps;  ///< as /proc/PID/maps has it
};

/// Reads what gperftools' heap profiler writes: "heap profile: …", a line for each stack, and the maps.
/// Throws Error{data} for what is no such file, or not a whole one.
[[nodiscard]] HeapDump read_heap_dump(std::string_view text);

}  // namespace walstorm::profile
