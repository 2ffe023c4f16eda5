#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"

/// What earlier commands left below an output folder.
namespace walstorm {

/// A folder that a command left.
struct PastFolder {
  std::string folder;  ///< its last name
  std::string kind;    ///< "run", "search", "sweep", "compare"
  std::string name;
  std::int64_t started_at_unix_us = 0;
  std::string outcome;  ///< a run's or a comparison's outcome; why a search or sweep stopped
  // Of runs:
  std::size_t phases = 0;
  /// Acknowledged records/s of the fastest judged phase that was sustained; nullopt when none was.
  std::optional<double> best_rate;
  std::optional<measure::VerdictState> worst_verdict;  ///< of the judged phases
  /// Why nothing else of it is known: it goes on still, was broken off, or its file cannot be read; else
  /// empty.
  std::string unreadable;
};

/// All of them directly in `output`, newest first, what cannot be read last; folders that are no command's
/// are left out. Throws Error{config} when there is no such folder.
[[nodiscard]] std::vector<PastFolder> past_folders(const std::filesystem::path& output);

/// A table of them, or that there are none.
[[nodiscard]] std::string past_folders_text(const std::vector<PastFolder>& folders,
                                            const std::filesystem::path& output);

}  // namespace walstorm
