#pragma once

#include <vector>

#include "orchestrator/check/check_text.h"
#include "orchestrator/config/config.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm::check {

/// `walstorm check`: looks whether a run of `config` could start, and leaves all as it was. A private server
/// is started for it and removed. What cannot be asked is a finding too; throws process::Interrupted alone.
[[nodiscard]] std::vector<Section> look(process::EventLoop& loop, const config::Config& config);

}  // namespace walstorm::check
