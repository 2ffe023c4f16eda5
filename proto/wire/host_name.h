#pragma once

#include <string>

namespace walstorm::wire {

/// This machine's, as Hello tells it: whoever reads it there compares it with its own.
[[nodiscard]] std::string host_name();

}  // namespace walstorm::wire
