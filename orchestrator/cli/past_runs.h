#pragma once

#include <filesystem>

#include "orchestrator/run/run.h"

namespace walstorm {

/// `walstorm report`: writes report.md of the run in `folder` again, from its metrics.json, and prints the
/// summary as the run did; the JUnit file too where `display` names one. Returns the exit code, 0. Throws
/// Error{config} when the folder is no run's, Error{unavailable} when it cannot be written to.
[[nodiscard]] int report_again(const std::filesystem::path& folder, const run::Display& display);

/// `walstorm list`: prints what earlier commands left in `folder`, and where that is empty in `output_dir`,
/// which need not be there yet. Returns the exit code, 0. Throws Error{config} when there is no such folder.
[[nodiscard]] int list_past_runs(const std::filesystem::path& folder,
                                 const std::filesystem::path& output_dir);

}  // namespace walstorm
