#pragma once

#include <map>
#include <string>

#include "orchestrator/profile/analysis/modules.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// flame.html, embedded at build time. Where it has @DATA@ the stacks go.
extern const char* const kFlamePage;

/// Whose sentence is shown whatever target is chosen.
inline constexpr const char* kEveryTarget = "";

/// A page that shows these stacks from the file system, without any network. `says` has a sentence for each
/// target, and for kEveryTarget. With `base` it compares: red for what takes a greater share than there.
[[nodiscard]] std::string flame_page(const Profile& profile, const Modules& modules, const std::string& title,
                                     const std::map<std::string, std::string>& says,
                                     const Profile* base = nullptr);

}  // namespace walstorm::profile
