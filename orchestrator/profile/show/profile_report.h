#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "orchestrator/profile/analysis/analysis.h"
#include "orchestrator/profile/heap/heap_report.h"
#include "orchestrator/profile/show/contention_text.h"

namespace walstorm::profile {

/// How the stacks were taken.
struct HowSampled {
  std::string by;                   ///< "perf"; of an existing file its name
  std::vector<std::string> events;  ///< "cpu-clock", "sched:sched_switch"
  std::optional<double> frequency_hz;
  std::string unwinding;  ///< "frame pointers"; empty: not known
};

struct PhaseAnalysis {
  std::string phase;
  std::optional<double> duration_sec;  ///< of the recording
  std::vector<TargetAnalysis> targets;
  /// CPU time of the profiler itself while the phase was on, and as a share of one CPU.
  std::optional<double> profiler_cpu_sec, profiler_cpu_share;
  std::string broke_off = {};  ///< "failed", "was interrupted": its stacks end there; empty: it did not
};

/// What profile.json holds.
struct ProfileReport {
  HowSampled how;
  std::vector<PhaseAnalysis> phases;
  std::vector<TargetAnalysis> all;  ///< all phases together
  std::optional<double> profiler_cpu_sec, profiler_cpu_share;
  std::vector<std::string> notes;  ///< what is missing, and what would allow it
  Limits limits;
  HeapReport heap = {};              ///< --profile heap
  ContentionReport contention = {};  ///< --profile contention
};

[[nodiscard]] nlohmann::ordered_json to_json(const ProfileReport& report);

/// The section of report.md, "## Profile" and what is below it; `folder` is where the files are.
[[nodiscard]] std::string profile_section(const ProfileReport& report, const std::string& folder);

/// "Sampled by perf (cpu-clock) at 99 Hz, unwound by frame pointers".
[[nodiscard]] std::string how_text(const ProfileReport& report);

/// The same tables for a terminal.
[[nodiscard]] std::string profile_text(const ProfileReport& report);

/// Two or three lines for the run's summary: a conclusion for each target.
[[nodiscard]] std::vector<std::string> summary_lines(const ProfileReport& report);

/// "0.8 % of a CPU", and that it was not measured.
[[nodiscard]] std::string overhead_text(const ProfileReport& report);

}  // namespace walstorm::profile
