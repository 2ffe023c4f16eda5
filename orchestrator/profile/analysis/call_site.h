#pragma once

#include <string>
#include <string_view>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// The frame of a stack that stands for it in a table: the innermost function of walstorm's, else the
/// innermost that is no library's for everybody (libc, libstdc++, an allocator, Boost, the kernel). A frame
/// that has no name where there is nothing better.
[[nodiscard]] Frame call_site(const Profile& profile, const Stack& stack);

/// A function's name for people: "EncodedBlock::append" of "EncodedBlock<NativeEncoder>::append<int>".
[[nodiscard]] std::string without_template_arguments(std::string_view function);

}  // namespace walstorm::profile
