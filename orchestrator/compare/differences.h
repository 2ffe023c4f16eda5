#pragma once

#include <string>
#include <vector>

#include "orchestrator/report/metrics_reader.h"

namespace walstorm::compare {

using Runs = std::vector<report::RecordedRun>;

/// Something that is not the same in all runs of both sides.
struct Difference {
  /// A load that differs makes the figures of two sides incomparable; settings and machines are what a
  /// comparison may be about.
  enum class Kind { load, setting, environment };
  Kind kind = Kind::setting;
  std::string what;  ///< "phases.1.targetThroughput", "PostgreSQL"
  /// Each value once, in the order of the runs; more than one where a side's own runs differ.
  std::vector<std::string> base, candidate;
};

/// As compare.json has them: "load", "setting", "environment".
[[nodiscard]] const char* to_string(Difference::Kind kind);

/// All of them: versions and machines first, then load, then settings. What says nothing of a run (its name,
/// where its files are, where walstorm's own servers listened) is left out, and so is the seed of the load:
/// other rows of the same kind.
[[nodiscard]] std::vector<Difference> differences_of(const Runs& base, const Runs& candidate);

/// Whether any of them is of the load.
[[nodiscard]] bool load_differs(const std::vector<Difference>& differences);

/// "consumer.flushBatchSize: 50 -> 200".
[[nodiscard]] std::string difference_text(const Difference& difference);

}  // namespace walstorm::compare
