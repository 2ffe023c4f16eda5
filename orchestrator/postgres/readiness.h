#pragma once

#include <cstdint>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/config/finding.h"
#include "orchestrator/postgres/server_probe.h"

/// What a probe of the server means for a run. Pure: `walstorm check` shows all findings, a run refuses to
/// start on the problems among them, so the two never disagree.
namespace walstorm::postgres {

/// Whether a run drops the database and creates it again: one that walstorm made, and not in UTF8.
[[nodiscard]] bool made_anew_for_encoding(const ServerProbe& probe);

/// In the order in which people read them. `wal_bytes` is what the plan writes at most (config::disk_bytes).
[[nodiscard]] std::vector<config::Finding> judge_server(const ServerProbe& probe,
                                                        const config::Config& config,
                                                        std::uint64_t wal_bytes);

/// Throws Error{unavailable} with every problem among the findings, one a line.
void require_no_problem(const std::vector<config::Finding>& findings);

}  // namespace walstorm::postgres
