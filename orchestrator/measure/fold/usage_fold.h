#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "orchestrator/measure/figures/count_curve.h"
#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

/// What a process of some role has used since it started, read at one moment.
/// What all CPUs of this machine did, for whoever it was, since it started.
struct MachineSample {
  std::int64_t at_unix_us = 0;
  std::uint64_t busy_us = 0, all_us = 0;
};

struct ProcessSample {
  std::int64_t at_unix_us = 0;
  std::string role;  ///< "orchestrator", "producer-0", "postgres-backends", ...
  std::optional<std::int64_t> pid;
  std::uint64_t cpu_user_us = 0;
  std::uint64_t cpu_system_us = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t rss_max_bytes = 0;  ///< over the process's life; 0 where it is not known
  std::uint64_t context_switches = 0;
  /// Ready to run with no CPU free for it; nullopt where the kernel does not count it.
  std::optional<std::uint64_t> cpu_wait_us = {};
};

/// What a process made of the time it had, as shares of one core.
struct CpuLoad {
  std::optional<double> share;       ///< on a CPU
  std::optional<double> wait_share;  ///< ready to run, and no CPU free for it
};

/// Folds the samples of one role, which may be several processes (PostgreSQL's backends), over a phase.
///
/// Each process counts from its first sample of the phase on, and by what it added since: so the sum goes
/// on when one of them ends, and when its pid is used again.
class UsageFold final {
 public:
  void add(const ProcessSample& sample);

  /// CPU since the last call and memory now; call once a second.
  [[nodiscard]] Second::Process close_second(const std::string& role);

  /// `records`: what the role's CPU is spread over.
  [[nodiscard]] ProcessReport report(const std::string& role, std::uint64_t records) const;

  /// User and system together, since the first sample; nullopt until there is a second one.
  [[nodiscard]] std::optional<std::uint64_t> cpu_us() const;

  /// How much of a core between two moments; unknown when less than half of the time was sampled.
  [[nodiscard]] CpuLoad cpu_load(double from_unix_us, double to_unix_us) const;

 private:
  struct Process {
    ProcessSample last;
    int seconds_unseen = 0;
  };

  /// A process not seen for so many seconds is gone; less would count sampling jitter as an end.
  static constexpr int kUnseenSecondsMax = 2;

  [[nodiscard]] std::uint64_t rss_now() const;

  std::map<std::int64_t, Process> processes_;  // by pid; kNoPid for a role sampled as a whole
  std::optional<std::int64_t> pid_;
  bool several_pids_ = false;
  std::uint64_t cpu_user_us_ = 0;
  std::uint64_t cpu_system_us_ = 0;
  std::uint64_t cpu_wait_us_ = 0;
  bool waits_known_ = true;
  CountCurve cpu_curve_, wait_curve_;  // of user and system together; of cpu_wait_us_
  std::uint64_t context_switches_ = 0;
  std::uint64_t rss_max_bytes_ = 0;
  std::int64_t first_at_us_ = 0;
  std::int64_t last_at_us_ = 0;
  std::int64_t second_began_us_ = 0;  // the newest sample at the last close_second
  std::uint64_t second_base_us_ = 0;  // CPU by then
};

}  // namespace walstorm::measure
