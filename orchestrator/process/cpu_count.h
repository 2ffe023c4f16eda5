#pragma once

#include <filesystem>
#include <optional>

namespace walstorm::process {

/// How many CPUs' time the control groups of this process leave it, as a container's `--cpus` has it (1.5 is
/// one and a half); nullopt without a limit. The tightest of its own group and of those around it counts, in
/// cgroup v2 (cpu.max: https://docs.kernel.org/admin-guide/cgroup-v2.html) and v1 (cpu.cfs_quota_us:
/// https://docs.kernel.org/scheduler/sched-bwc.html). `root` is "/" but for tests.
[[nodiscard]] std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// The CPUs that this process may use: those it may be scheduled on (cpuset, taskset), and of their time what
/// cpu_quota() leaves.
[[nodiscard]] double usable_cpus(const std::filesystem::path& root = "/");

}  // namespace walstorm::process
