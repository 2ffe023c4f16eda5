#pragma once

#include <cstdint>
#include <istream>
#include <string>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// Stacks as flamegraph.pl and speedscope read them: a line each, "caller;callee;innermost 12". The target is
/// the outermost name. On-CPU stacks weigh their samples, off-CPU stacks microseconds, memory
/// bytes.
[[nodiscard]] std::string folded_text(const Profile& profile, Kind kind);

struct FoldedRead {
  Profile profile;
  std::uint64_t lines_unread = 0;
};

/// Reads such lines as on-CPU stacks of one target. "_[k]" behind a name marks the kernel's, "_[i]" an
/// inlined one, as stackcollapse-perf.pl writes them; "_[j]" one made at run time.
[[nodiscard]] FoldedRead read_folded(std::istream& in, const std::string& target);

}  // namespace walstorm::profile
