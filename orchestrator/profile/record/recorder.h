#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/profile/record/perf_ability.h"
#include "orchestrator/profile/stacks/perf_script.h"

namespace walstorm::profile {

/// A process to sample, and what it is to the run: "consumer", "postgres-walsender".
struct Sampled {
  pid_t pid = 0;
  std::string target;
  std::string name = {};  ///< of a worker: "consumer-0"
};

/// What was recorded of some processes in one phase.
struct Recording {
  std::string phase;
  std::filesystem::path data;  ///< perf's file
  std::map<pid_t, std::string> targets;
  std::int64_t began_unix_us = 0, ended_unix_us = 0;
  /// CPU time of perf itself while the phase was on; nullopt when it was gone by then.
  std::optional<std::uint64_t> own_cpu_us;
  /// What the kernel counted meanwhile, by target: what the samples should add up to.
  std::map<std::string, std::uint64_t> counted_cpu_us;
  std::string failure;  ///< why there is nothing in it; empty: it went well
};

/// Runs `perf record` beside a run's phases. Whatever goes wrong with it is told in the recording, and never
/// thrown: a run does not fail by its profiler. Lives on the loop.
class Recorder final {
 public:
  /// `folder` takes perf's files, `log_file` what it says.
  Recorder(process::EventLoop& loop, PerfAbility ability, unsigned frequency_hz, std::filesystem::path folder,
           std::filesystem::path log_file);

  /// Begins to record these processes too, until end(). Those that are gone already are left out.
  void add(const std::string& phase, const std::vector<Sampled>& processes);
  /// Tells every perf to end, and does not wait: it writes its file while the run goes on.
  void end();
  /// Waits until all have ended, and hands over what was recorded since the last call. Turns the loop.
  [[nodiscard]] std::vector<Recording> take();

  /// Reads a recording's stacks by `perf script`. Turns the loop; throws Error{unavailable}.
  [[nodiscard]] PerfScript::Result read(const Recording& recording);

 private:
  struct Running {
    Recording recording;
    std::unique_ptr<process::ChildProcess> perf;
    std::map<pid_t, std::uint64_t> counted_before_us;  // CPU time of each process when it was seen first
  };

  process::EventLoop& loop_;
  const PerfAbility ability_;
  const unsigned frequency_hz_;
  const std::filesystem::path folder_, log_file_;
  std::vector<Running> running_;
  unsigned files_ = 0;
};

/// Reads a perf.data by `perf script`. The loop turns; throws Error{unavailable} with what perf said.
[[nodiscard]] PerfScript::Result read_perf_data(process::EventLoop& loop, const std::string& perf,
                                                const std::filesystem::path& data, const std::string& phase,
                                                double frequency_hz, PerfScript::TargetOf target_of);

}  // namespace walstorm::profile
