#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace walstorm::process {

/// What /proc says of one process since it started.
struct ProcStat {
  std::uint64_t cpu_user_us = 0;
  std::uint64_t cpu_system_us = 0;
  std::uint64_t rss_bytes = 0;  ///< all that is resident
  std::uint64_t rss_own_bytes =
      0;  ///< without shared memory, which several processes would count several times
  std::uint64_t rss_max_bytes = 0;  ///< of rss_bytes, over the process's life
  std::uint64_t context_switches = 0;
  /// Ready to run with no CPU free for it, of its first thread; nullopt where the kernel does not count it.
  std::optional<std::uint64_t> cpu_wait_us;
};

/// Reads /proc/<pid>/stat, status and schedstat (proc(5)). nullopt when there is no such process.
/// CPU times have the kernel's tick of 10 ms.
[[nodiscard]] std::optional<ProcStat> read_proc_stat(pid_t pid);

/// What all of this machine's CPUs did since it started, whoever it was for.
struct MachineCpu {
  std::uint64_t busy_us = 0;
  std::uint64_t all_us = 0;  ///< busy or idle
};

/// Reads /proc/stat (proc(5)); time that a hypervisor took away counts as busy. nullopt where it tells
/// nothing.
[[nodiscard]] std::optional<MachineCpu> read_machine_cpu();

/// Whether `pid` on this machine is one of a PostgreSQL server's processes: its command line says so. Guards
/// against taking a remote server's or a container's pid for a local one.
[[nodiscard]] bool is_local_postgres(pid_t pid);

}  // namespace walstorm::process
