#pragma once

#include <filesystem>
#include <memory>

#include "orchestrator/config/config.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/target/target.h"

namespace walstorm::run {

/// What the rows of a run of `config` land in, not yet prepared. Its servers log into `log_dir`. `loop`
/// outlives it.
[[nodiscard]] std::unique_ptr<target::Target> make_target(process::EventLoop& loop,
                                                          const config::Config& config,
                                                          const std::filesystem::path& log_dir);

}  // namespace walstorm::run
