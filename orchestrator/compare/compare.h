#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "orchestrator/run/run.h"

namespace walstorm::compare {

struct Options {
  /// Run folders; of a folder of many runs (a search's, a sweep's, --output's) those in it.
  std::vector<std::filesystem::path> base, candidate;
  bool force = false;  ///< compare although the load differs
  /// "consumer.cpuMicrosPerRecord > +5%": conditions that give exit 99 when they hold.
  std::vector<std::string> fail_on;
  std::filesystem::path output_dir;
};

/// `walstorm compare`: what changed from the base's runs to the candidate's, phase by phase and figure by
/// figure, and whether that is beyond noise. Leaves a folder with compare.json and compare.md below
/// output_dir.
///
/// Returns the exit code: 0, or 99 when a condition of fail_on holds. Throws Error{config} for folders
/// without runs, conditions that cannot be read, and loads that differ.
[[nodiscard]] int carry_out(const Options& options, const run::Display& display);

}  // namespace walstorm::compare
