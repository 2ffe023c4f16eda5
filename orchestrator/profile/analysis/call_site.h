#pragma once

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// The frame of a stack that stands for it in a table: the innermost function of walstorm's, else the
/// innermost that is no library's for everybody (libc, libstdc++, an allocator, Boost, the kernel). A frame
/// that has no name where there is nothing better.
[[nodiscard]] Frame call_site(const Profile& profile, const Stack& stack);

}  // namespace walstorm::profile
