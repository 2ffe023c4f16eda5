#pragma once

#include <cstdint>
#include <filesystem>

#include "orchestrator/measure/run_report.h"

namespace walstorm::run {

/// This machine: host, kernel, CPU, memory. PostgreSQL and ClickHouse are asked elsewhere.
[[nodiscard]] measure::Environment describe_machine();

/// Throws Error{unavailable} when `folder`'s disk has less free than `bytes_needed` and a tenth of it to
/// spare.
void check_free_space(const std::filesystem::path& folder, std::uint64_t bytes_needed);

}  // namespace walstorm::run
