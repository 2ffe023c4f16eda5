#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/sweep/sweep_report.h"
#include "orchestrator/trial/trials.h"

namespace walstorm::sweep {

/// What the command line says; each wins over the config's "sweep".
struct Options {
  std::vector<Axis> axes;  ///< empty: the config's
  std::optional<Mode> mode;
  std::optional<std::size_t> repeats;
  std::optional<std::filesystem::path> resume;
};

/// What a sweep will do, settled before anything is started.
struct Plan {
  config::Config base;
  SweepReport report;                   ///< without runs, or with those of the sweep that is resumed
  std::vector<config::Config> configs;  ///< by cell
  std::vector<std::size_t> order;       ///< the cells' numbers in the order of their runs
};

/// Resolves every cell, so that a bad value in the last one costs nothing. Throws Error{config} for bad
/// options, for values that a cell cannot have, and for a sweep that is not the one to resume.
[[nodiscard]] Plan plan_of(const trial::Resolve& resolve, const Options& options);

/// How long one run takes, about.
[[nodiscard]] double run_sec(const config::Config& config);

/// For --dry-run: the cells, how many runs, about how long.
[[nodiscard]] std::string plan_text(const Plan& plan);

}  // namespace walstorm::sweep
