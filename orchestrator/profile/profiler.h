#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/extras.h"
#include "orchestrator/profile/record/recorder.h"
#include "orchestrator/profile/show/profile_report.h"
#include "orchestrator/profile/stacks/pprof.h"

namespace walstorm::profile {

/// The targets' names, as profiling.targets has them.
inline constexpr const char* kConsumer = "consumer";
inline constexpr const char* kProducer = "producer";
inline constexpr const char* kWalsender = "postgres-walsender";
inline constexpr const char* kBackends = "postgres-backends";
inline constexpr const char* kClickhouse = "clickhouse";

/// Profiles a run: samples the targets' processes while a judged phase is on, and makes the run folder's
/// profile/ of it at the end. Nothing of it fails the run; what is missing is a note. Lives on the loop.
class Profiler final {
 public:
  /// Tries what can be recorded here. `run_folder` takes profile/ and logs/perf.log. Throws
  /// process::Interrupted.
  Profiler(process::EventLoop& loop, const config::Config& config, const Extras& extras,
           std::filesystem::path run_folder);

  /// A phase that is judged begins. Processes that are no target are passed over.
  void begin_phase(const std::string& phase, const std::vector<Sampled>& processes);
  /// Processes that are known only now, such as PostgreSQL's: those that are new are sampled too.
  void see(const std::vector<Sampled>& processes);
  /// The phase is over, its drain included. Does nothing when none was on.
  void end_phase();

  /// Reads what was recorded and writes profile/; `report` gets its section, its lines and its notes. Takes a
  /// moment, so nothing should be measured any more. Never throws.
  void conclude(measure::RunReport& report);

 private:
  [[nodiscard]] bool is_target(const std::string& name) const;
  void read_recordings();
  void note_missing();
  void analyse_all();
  void mark_broken_off(const measure::RunReport& report);
  void write(const measure::RunReport& report);
  void compare_with_baseline();
  void push(const std::string& run_name);

  process::EventLoop& loop_;
  const config::Config& config_;
  const Extras extras_;
  const std::filesystem::path folder_;  // profile/
  const Modules modules_;
  ProfileReport report_;  // before ability_, which leaves its notes in it
  PerfAbility ability_;
  Recorder recorder_;
  std::optional<std::string> phase_;   // that is on
  std::map<pid_t, std::string> seen_;  // in it
  Profile profile_;
  std::map<std::string, Taken> taken_;                   // by phase
  std::map<std::string, std::uint64_t> own_cpu_us_;      // by phase
  std::map<std::string, std::uint64_t> counted_cpu_us_;  // by target
  std::string diff_section_;
  std::vector<std::string> diff_lines_;
};

}  // namespace walstorm::profile
