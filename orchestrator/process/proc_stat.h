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

/// When process `pid` of this machine started, in microseconds since 1970 by the wall clock as it is now; to
/// the kernel's tick of 10 ms. nullopt when there is no such process.
[[nodiscard]] std::optional<std::int64_t> started_unix_us(pid_t pid);

/// Whether `pid` on this machine is one of a PostgreSQL server's processes: its command line says so.
[[nodiscard]] bool is_local_postgres(pid_t pid);

/// Whether the backend that serves us is the local process `pid`: one of a PostgreSQL's that started when the
/// server says that the backend did. A pid alone may be that of another server, elsewhere or in a container,
/// that has the same one.
[[nodiscard]] bool is_local_backend(pid_t pid, std::int64_t backend_start_unix_us);

}  // namespace walstorm::process
