#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "orchestrator/profile/analysis/modules.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// The module of modules.txt that takes the waits for another thread or process.
inline constexpr const char* kLockWaits = "wait: lock";

/// Where a target waits for others.
struct LockSite {
  std::string function, object;
  std::uint64_t count = 0;  ///< waits that were sampled
  std::uint64_t ns = 0;
  double share = 0;  ///< of the target's wall time
};

struct LockWaits {
  std::string target;
  std::uint64_t wall_ns = 0;     ///< on and off the CPU
  std::uint64_t off_cpu_ns = 0;  ///< what was looked at
  std::uint64_t waits = 0;       ///< sampled ones, in it
  std::uint64_t lock_ns = 0;
  std::uint64_t lock_waits = 0;
  std::vector<LockSite> sites;  ///< most first
  std::string conclusion;
};

/// What stacks say of waiting for locks, which on Linux is waiting in a futex, a semaphore or a lock of the
/// kernel's: for each target with waits of all phases in `profile` together; at most `sites_max` sites each.
[[nodiscard]] std::vector<LockWaits> analyse_contention(const Profile& profile, const Modules& modules,
                                                        std::size_t sites_max);

/// Those stacks alone.
[[nodiscard]] Profile lock_stacks(const Profile& profile, const Modules& modules);

}  // namespace walstorm::profile
