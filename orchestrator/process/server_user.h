#pragma once

#include <optional>
#include <string>

#include "orchestrator/process/child_process.h"

namespace walstorm::process {

/// Whom a server that we start runs as: nullopt, ourselves, unless we are root; then `preferred`, a user's
/// name, or without one "nobody". Throws Error{unavailable} that begins with `what` when there is neither.
[[nodiscard]] std::optional<UserId> server_user(const std::string& preferred, const std::string& what);

}  // namespace walstorm::process
