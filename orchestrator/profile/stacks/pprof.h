#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// When a profile was taken; 0: not known.
struct Taken {
  std::int64_t at_unix_us = 0;
  double duration_sec = 0;
  double frequency_hz = 0;
};

/// A pprof file (.pb.gz), as `go tool pprof` opens it. Each sample has the values samples and cpu, or waits
/// and off_cpu, these in nanoseconds, and the labels phase and target; "broken" where callers are missing.
[[nodiscard]] std::string pprof_file(const Profile& profile, const Taken& taken);

/// Reads a pprof file, packed or not. Of one that is not walstorm's, the CPU time and the sample count are
/// taken, or else the default value as samples; stacks without labels are of `target`. Throws Error{data}.
[[nodiscard]] Profile read_pprof(std::string_view file, const std::string& target);

}  // namespace walstorm::profile
