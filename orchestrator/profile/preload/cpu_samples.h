#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// What a process was seen doing, as addresses.
struct CpuSamples {
  struct Stack {
    std::uint64_t count = 0;
    std::vector<std::uint64_t> addresses;  ///< innermost first; those behind it are return addresses
  };

  std::uint64_t period_us = 0;  ///< CPU time that a sample stands for
  std::vector<Stack> stacks;
  std::string maps;       ///< as /proc/PID/maps has it: where these addresses are
  bool complete = false;  ///< the process wrote the file's end
};

/// Reads what gperftools' CPU profiler writes
/// (https://gperftools.github.io/gperftools/cpuprofile-fileformat.html): words of this machine, then the maps
/// as text. Of a file without its end what is there. Throws Error{data} for what is no such file.
[[nodiscard]] CpuSamples read_cpu_samples(std::string_view bytes);

/// Its stacks with names, on-CPU. The samples stand for `cpu_us` together, the CPU time that the process is
/// known to have taken: the kernel's timer knows no intervals below its tick, and leaves such samples out.
/// Without it each stands for its period.
[[nodiscard]] Profile named(const CpuSamples& samples, const std::string& phase, const std::string& target,
                            std::optional<std::uint64_t> cpu_us);

}  // namespace walstorm::profile
