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
#include "orchestrator/profile/heap/heap_book.h"
#include "orchestrator/profile/preload/worker_probes.h"
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
/// profile/ of it at the end. perf samples from outside; where it cannot, and for the heap, walstorm's own
/// workers carry a profiler within them. Nothing of it fails the run; what is missing is a note. Lives on the
/// loop.
class Profiler final {
 public:
  /// Tries what can be recorded here. `run_folder` takes profile/ and logs/perf.log. Throws
  /// process::Interrupted.
  Profiler(process::EventLoop& loop, const config::Config& config, const Extras& extras,
           const std::filesystem::path& run_folder);

  /// Whether there is anything for a Profiler to do.
  [[nodiscard]] static bool is_wanted(const config::Profiling& profiling);

  /// The variables with which a worker is to be started, so that it carries what profiles it from within.
  [[nodiscard]] std::vector<std::string> equip(const std::string& worker, const std::string& target);

  /// A phase that is judged begins. Processes that are no target are passed over. Turns the loop for a moment
  /// when workers carry something, and so does end_phase().
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
  void look_within();
  void read_recordings();
  void read_samples();
  void read_heaps();
  void add_heap(HeapBook& book, const std::string& phase, const WorkerProbes::HeapFiles& first,
                const WorkerProbes::HeapFiles& last);
  void analyse_contention_in_all();
  void note_missing();
  void analyse_all();
  void mark_broken_off(const measure::RunReport& report);
  void write(const measure::RunReport& report);
  void write_pages(const std::string& run_name);
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
  const Gperftools within_;
  const bool samples_within_;  // in place of perf
  WorkerProbes probes_;
  std::optional<std::string> phase_;   // that is on
  std::map<pid_t, std::string> seen_;  // in it
  Profile profile_;
  std::map<std::string, Taken> taken_;                   // by phase
  std::map<std::string, std::uint64_t> own_cpu_us_;      // by phase
  std::map<std::string, std::uint64_t> counted_cpu_us_;  // by target
  HeapBook heap_, heap_of_all_;                          // by phase, and over all of them
  Profile locks_;                                        // the stacks that wait for one
  std::vector<std::string> pages_;
  std::string diff_section_;
  std::vector<std::string> diff_lines_;
};

}  // namespace walstorm::profile
