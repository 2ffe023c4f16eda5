#pragma once

#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm {

/// `walstorm clean`: removes what earlier runs of this config left (slot, publication, profiling database,
/// tables in ClickHouse, folders of private servers), or with `dry_run` only looks. Returns a line for each
/// thing. Throws Error{unavailable} while a run is using the database, and when the server cannot be reached.
[[nodiscard]] std::vector<std::string> clean(process::EventLoop& loop, const config::Config& config,
                                             bool dry_run);

}  // namespace walstorm
