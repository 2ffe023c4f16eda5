#pragma once

#include <cstdint>
#include <optional>

#include "orchestrator/check/check_text.h"
#include "orchestrator/config/config.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm::check {

/// `available`: bytes free where ClickHouse keeps its data; nullopt where it does not say. `needed`: what the
/// plan's rows are before ClickHouse's compression (config::sink_bytes), which nobody can foresee.
[[nodiscard]] config::Finding judge_sink_disk(std::optional<std::uint64_t> available, std::uint64_t needed);

/// Whether a run of `config` finds the sink that it needs. Leaves the server as it was: a table, and a
/// database if there is none yet, are made for a moment to see whether that is allowed. Throws
/// process::Interrupted alone.
[[nodiscard]] Section look_at_clickhouse(process::EventLoop& loop, const config::Config& config);

}  // namespace walstorm::check
