#pragma once

#include <benchmark/benchmark.h>
#include <string>
#include <vector>

#include "orchestrator/compare/bench_file.h"

namespace walstorm::bench {

/// A benchmark's counter for the size of an item as it leaves the process.
inline constexpr const char* kWireBytesPerItem = "wireBytesPerItem";

/// Prints each benchmark's time beside the baseline's, by the comparison that `walstorm profile-diff` makes,
/// and keeps what it printed.
class BaselineReporter final : public benchmark::BenchmarkReporter {
 public:
  /// Reads the baseline file; one that is not there has no figures. Throws Error{config} for one that is
  /// none.
  explicit BaselineReporter(const std::string& file);

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

  /// Writes what was measured as the new baseline; benchmarks that did not run keep their old figures.
  void write_baseline() const;

 private:
  std::string file_;
  std::vector<compare::Bench> baseline_, measured_;
};

}  // namespace walstorm::bench
