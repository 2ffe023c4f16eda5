#pragma once

#include <string>

namespace walstorm::wire {

/// Sends spdlog to stderr, a line each: "2026-01-31T12:00:00.123Z producer-0 info: ...".
/// stdout of a worker belongs to frames; the orchestrator keeps each worker's stderr as logs/<process>.log.
/// Call once, before the first line. `process` may not be known yet: call again when it is.
void start_log(const std::string& process, bool verbose);

}  // namespace walstorm::wire
