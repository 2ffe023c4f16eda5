#pragma once

#include <filesystem>
#include <string>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::report {

/// The run as JUnit XML, as build servers read it: a suite of the run ("run passed", "ledger is clean") and
/// one for each phase that has thresholds, with a case for each of them. Times are in seconds; what cannot
/// stand in XML (control characters) is left out.
[[nodiscard]] std::string junit_xml(const measure::RunReport& report);

/// The file that --junit names.
class JunitFile final {
 public:
  /// Throws Error{config} when it cannot be written. An older one is removed: whatever becomes of this run,
  /// nobody is to take that for its result.
  explicit JunitFile(std::filesystem::path path);

  /// Throws Error{unavailable} when it cannot any more.
  void write(const measure::RunReport& report) const;

 private:
  std::filesystem::path path_;
};

}  // namespace walstorm::report
