#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <sys/types.h>

namespace walstorm::process {

/// What /proc says a process has done since it started, all its threads together. What the kernel does not
/// tell is nullopt.
struct ProcActivity {
  std::uint64_t cpu_user_us = 0;
  std::uint64_t cpu_system_us = 0;
  std::uint64_t minor_faults = 0;  ///< memory that was there, or was made
  std::uint64_t major_faults = 0;  ///< memory that was read from a disk
  std::optional<std::uint64_t> rss_bytes;
  /// Threads that have ended take theirs along, so a sum may fall.
  std::optional<std::uint64_t> run_queue_us;  ///< ready to run, with no CPU free for it
  std::optional<std::uint64_t> voluntary_switches;
  std::optional<std::uint64_t> involuntary_switches;

  [[nodiscard]] std::uint64_t cpu_us() const { return cpu_user_us + cpu_system_us; }
};

/// Reads /proc/<pid>/stat and status, and schedstat and status of each of its threads (proc(5)). nullopt when
/// there is no such process. CPU times have the kernel's tick of 10 ms. `proc` is where /proc is.
[[nodiscard]] std::optional<ProcActivity> read_proc_activity(pid_t pid,
                                                             const std::filesystem::path& proc = "/proc");

}  // namespace walstorm::process
