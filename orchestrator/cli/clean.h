#pragma once

#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm {

struct CleanOptions {
  bool dry_run = false;  ///< only look
  bool force = false;    ///< drop the tables in ClickHouse although a run is using them
};

/// `walstorm clean`: removes what earlier runs of this config left (slot, publication, profiling database,
/// tables in ClickHouse, folders of private servers). Returns a line for each thing. Throws
/// Error{unavailable} while a run is using the database or, unless forced, the tables in ClickHouse, and when
/// a server cannot be reached.
[[nodiscard]] std::vector<std::string> clean(process::EventLoop& loop, const config::Config& config,
                                             const CleanOptions& options);

}  // namespace walstorm
