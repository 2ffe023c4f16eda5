#pragma once

#include <filesystem>
#include <vector>

#include "orchestrator/config/phase_plan.h"
#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/target/target.h"

namespace walstorm::run {

/// This machine: host, kernel, CPU, memory. PostgreSQL and ClickHouse are asked elsewhere.
[[nodiscard]] measure::Environment describe_machine();

/// Throws Error{unavailable} when the disk of PostgreSQL's `folder` has less free than the plan will write
/// there, and a tenth of it to spare. A target on this machine writes to the same one.
void check_free_space(const std::filesystem::path& folder, const config::Config& config,
                      const std::vector<config::PhasePlan>& plan, const target::Target& target);

}  // namespace walstorm::run
