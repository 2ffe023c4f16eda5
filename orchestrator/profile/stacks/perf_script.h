#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// The fields that PerfScript reads, as perf script's -F takes them.
inline constexpr const char* kPerfScriptFields = "comm,pid,tid,time,period,event,ip,sym,dso,trace";

/// Reads what `perf script` prints, line by line, and makes stacks of it (man perf-script; the text of an
/// event is a head line, a line for each frame from the innermost on, and an empty line).
///
/// On-CPU samples weigh their period where the event counts nanoseconds (cpu-clock, task-clock), and else
/// 1/frequency. How long each thread was off the CPU is known from its PERF_RECORD_SWITCH events, all of
/// which are recorded; what it waited in is known of some of these waits, from sched:sched_switch, which is
/// sampled as the clock is. So each thread's sampled waits are scaled to what it waited in all, those that it
/// wanted and those that it was made to apart. Threads that hardly ran beside the others of their target wait
/// for ever and say nothing about it: their waiting is left out.
class PerfScript final {
 public:
  /// The target of a process; nullopt: not asked for. Called once for each.
  using TargetOf = std::function<std::optional<std::string>(pid_t pid, const std::string& comm)>;

  /// `frequency_hz`: of the recording; 0 when it is not known, and then such samples weigh no time.
  PerfScript(std::string phase, double frequency_hz, TargetOf target_of);

  void line(std::string_view line);
  void read(std::istream& in);

  struct Result {
    Profile profile;
    std::uint64_t samples = 0;       ///< on-CPU
    std::uint64_t not_ours = 0;      ///< events of processes that were not asked for
    std::uint64_t lines_unread = 0;  ///< that are nothing this knows
    std::uint64_t idle_threads = 0;  ///< whose waiting was left out
    bool waits_known = false;        ///< the recording tells when threads left the CPU and came back
    std::vector<std::string> events;
  };
  /// What was read. A wait that the recording ends in counts until there.
  [[nodiscard]] Result finish();

 private:
  struct Head {
    pid_t pid = 0, tid = 0;
    double sec = 0;
    std::string comm, event;
    std::uint64_t period = 0;
    std::string rest;
  };
  /// A thread's waits of one kind: those that it wanted, or those that it was made to.
  struct Waits {
    double sec = 0, sampled_sec = 0;
    Profile sampled;
  };
  struct Thread {
    std::string target;
    std::uint64_t on_cpu_ns = 0;
    std::optional<std::vector<Frame>> going;  // sched_switch has told where it is, and it has not gone yet
    std::optional<std::vector<Frame>> in;     // where it waits, when that was sampled
    std::optional<double> out_sec;            // since when it is off the CPU
    bool seen = false;                        // a switch of it
    bool was_made_to = false;
    Waits wanted, made_to;
  };

  [[nodiscard]] static std::optional<Head> parse_head(std::string_view line);
  [[nodiscard]] static std::optional<Frame> parse_frame(std::string_view line);
  [[nodiscard]] const std::optional<std::string>& target(const Head& head);
  void begin(const Head& head);
  void end_event();
  void take_switch(Thread& thread, const Head& head);
  void take_switch_in(Thread& thread, double now_sec);
  void add_waits(Thread& thread, bool made_to);

  std::string phase_;
  double frequency_hz_;
  TargetOf target_of_;
  std::map<pid_t, std::optional<std::string>> targets_;  // by pid
  std::map<pid_t, Thread> threads_;                      // by tid
  std::optional<Head> head_;                             // of the event whose frames are being read
  std::vector<Frame> frames_;                            // innermost first
  std::optional<double> first_sec_;
  double last_sec_ = 0;
  Result result_;
};

/// Whether callers are missing: the outermost frame is not where a thread begins. `frames`: outermost first.
[[nodiscard]] bool is_broken(const std::vector<Frame>& frames);

/// A symbol as people write it: its arguments, ABI tags and version left out, long template arguments cut.
[[nodiscard]] std::string readable_symbol(std::string_view symbol);

}  // namespace walstorm::profile
