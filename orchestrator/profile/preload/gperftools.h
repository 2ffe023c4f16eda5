#pragma once

#include <string>
#include <vector>

#include "orchestrator/config/finding.h"

namespace walstorm::profile {

/// gperftools' profilers, which the loader puts into a process that is started with them (LD_PRELOAD). They
/// are neither linked nor needed: where they are missing, so are the profiles that take them.
struct Gperftools {
  std::string cpu;          ///< libprofiler's path; empty: it is not here
  std::string heap;         ///< libtcmalloc's, with its heap profiler
  bool in_the_way = false;  ///< the workers are built with a sanitizer, which has an allocator of its own
};

/// Looks where the loader does.
[[nodiscard]] Gperftools look_for_gperftools();

/// What of flame graphs is possible without perf, or what to install for it.
[[nodiscard]] config::Finding judge_sampler(const Gperftools& found);
/// Whether `--profile heap` is possible, or what to install for it.
[[nodiscard]] config::Finding judge_heap(const Gperftools& found);

/// The signals at which a worker that was started so begins and ends to sample, and writes what its heap
/// holds. Real-time ones: each that is sent is counted, however late it is taken.
[[nodiscard]] int cpu_signal();
[[nodiscard]] int heap_signal();

/// What one worker is to carry. Never both: the sampler takes memory when it begins, in a signal's handler,
/// and what counts memory may be at work just then.
enum class Carried { nothing, sampler, heap_profiler };

/// The variables for a worker that carries that: "LD_PRELOAD=…" and those that the library reads. Its
/// files are `stem` + ".cpu.0", ".cpu.1", … and ".0001.heap", …, one more at each signal. Empty where it
/// carries nothing.
[[nodiscard]] std::vector<std::string> variables_of(const Gperftools& found, Carried carried,
                                                    const std::string& stem);

}  // namespace walstorm::profile
