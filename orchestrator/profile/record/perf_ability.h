#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/finding.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm::profile {

/// What this machine says when it is asked for a recording.
struct PerfFacts {
  std::string perf;  ///< the program; empty: there is none
  bool is_root = false;
  std::optional<int> paranoid;                ///< kernel.perf_event_paranoid
  std::optional<int> kptr_restrict;           ///< kernel.kptr_restrict
  bool has_cycles = false;                    ///< the machine counts cycles
  std::optional<std::string> on_cpu_refusal;  ///< what perf said to it; nullopt: it went well
  std::optional<std::string> off_cpu_refusal;
};

/// What can be recorded here, and what is missing for the rest.
struct PerfAbility {
  std::string perf;
  bool on_cpu = false;
  bool off_cpu = false;  ///< what is waited in, that is; how long is known from on-CPU recordings too
  std::vector<config::Finding> findings;
};

[[nodiscard]] PerfAbility judge_perf_ability(const PerfFacts& facts);

/// Whether `--profile contention` is possible with that; what is missing for it stands in the ability's own
/// findings.
[[nodiscard]] config::Finding judge_contention(const PerfAbility& ability);

/// Looks, and tries it: a recording of a moment each, in a folder of its own that is removed. Turns the loop.
/// Throws process::Interrupted.
[[nodiscard]] PerfFacts look_at_perf(process::EventLoop& loop);

/// A program of that name in PATH; empty when there is none.
[[nodiscard]] std::string program_in_path(const char* program);

}  // namespace walstorm::profile
