#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/profile/analysis/modules.h"
#include "orchestrator/profile/stacks/profile.h"

namespace walstorm::profile {

/// A function by the time spent in it itself.
struct FunctionRow {
  std::string function, object, module;
  std::uint64_t samples = 0;  ///< with this function innermost
  std::uint64_t ns = 0;       ///< their time; 0 where none is known
  double share = 0;           ///< of the target's on-CPU time
  double total_share = 0;     ///< the same, with all that it calls
};

struct ModuleRow {
  std::string module;
  std::uint64_t samples = 0;  ///< by where each stack is
  std::uint64_t ns = 0;
  double share = 0;
  /// Of an own module: with all that it calls.
  std::optional<std::uint64_t> samples_with_callees = {};
  std::optional<double> share_with_callees = {};
  /// Of an own module, with what it calls: time until it was done, over CPU time. 1: it computes all the
  /// time.
  std::optional<double> wall_per_cpu = {};
};

/// What off-CPU stacks wait for.
struct WaitRow {
  std::string wait;
  std::uint64_t count = 0, ns = 0;
  double share = 0;  ///< of the target's wall time: on-CPU and off-CPU
};

/// A program or library in which the unwinding of stacks was lost.
struct BrokenRow {
  std::string object;  ///< empty: code of no known file
  std::uint64_t samples = 0;
  double share = 0;  ///< of the target's on-CPU samples
};

/// One target in one phase, or over all.
struct TargetAnalysis {
  std::string target;
  std::uint64_t samples = 0;                ///< on-CPU
  std::optional<std::uint64_t> cpu_ns;      ///< nullopt: what was read tells no time
  std::optional<std::uint64_t> off_cpu_ns;  ///< nullopt: not measured
  std::optional<double> wall_per_cpu;
  std::uint64_t broken_samples = 0;    ///< of the on-CPU ones: callers are missing
  std::optional<double> broken_share;  ///< nullopt of no samples
  std::vector<BrokenRow> broken_in;    ///< most first
  std::vector<FunctionRow> functions;  ///< most first
  std::vector<ModuleRow> modules;      ///< most first
  std::vector<WaitRow> waits;          ///< most first
  std::string conclusion;              ///< where the time goes, and what follows
  /// CPU time by the kernel's own count while the samples were taken; nullopt: not known.
  std::optional<std::uint64_t> counted_cpu_ns = {};
};

/// The limits by which the conclusion is drawn. They are printed with it.
struct Limits {
  std::uint64_t samples_min = 100;
  double compute_bound_share = 0.8;  ///< of wall time on a CPU, from here on
  double waiting_share = 0.5;        ///< of wall time off the CPU, from here on
  double module_share = 0.25;        ///< of CPU time: worth a change of its own, from here on
  double no_cpu_share = 0.1;         ///< of wall time ready with no CPU free, from here on
  double broken_share = 0.3;         ///< of stacks: callers are then not to be trusted
};

/// "27 % of the stacks are broken, 25 % in liblz4.so.1.9.4": the objects that matter, most first.
[[nodiscard]] std::string broken_text(const TargetAnalysis& target);

/// The limits in words: "compute-bound from 80 % of its time on a CPU; …".
[[nodiscard]] std::string limits_text(const Limits& limits);

/// One row for each target, of all the phases in `profile` together; at most `functions_max` functions each.
[[nodiscard]] std::vector<TargetAnalysis> analyse(const Profile& profile, const Modules& modules,
                                                  std::size_t functions_max, const Limits& limits = {});

/// The sentence for a target whose figures are all there.
[[nodiscard]] std::string conclude(const TargetAnalysis& target, const Modules& modules,
                                   const Limits& limits);

}  // namespace walstorm::profile
