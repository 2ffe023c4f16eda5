#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/measure/judge/busy.h"

/// Who had too little CPU. What the kernel counts as waiting for one tells of wake-ups as much as of lack: a
/// process that is woken for every message waits each time, however little it does. So a wait is a question
/// only, which the place where the work piles up answers, and what all processes together used.
namespace walstorm::measure {

/// The process of that role; of "producer" and "consumer", the busiest one of them. An empty report where
/// there is none.
[[nodiscard]] const ProcessReport& process_of(const PhaseReport& phase, std::string_view role);

/// Nearly always on a CPU.
[[nodiscard]] bool fills_a_cpu(const ProcessReport& process);

/// Nearly always on a CPU or waiting for one, or waiting for much of the time.
[[nodiscard]] bool may_lack_cpu(const ProcessReport& process);

/// Of the time in which it wanted a CPU, or of `wanted` of all time where that is more, it got too little:
/// others are in its way.
[[nodiscard]] bool is_starved(const ProcessReport& process, double wanted = 0);

/// Whether the writing backends mostly waited for their client; nullopt where it is not known.
[[nodiscard]] std::optional<bool> backends_wait_for_the_producer(const PhaseReport& phase,
                                                                 const PipeSettings& settings);

/// The run's own processes used this machine up, so that none of them alone is short of a CPU.
[[nodiscard]] bool is_crowded(const PhaseReport& phase);

/// Of all this machine's CPUs, what processes used that are none of the run's; nullopt where it is not known.
[[nodiscard]] std::optional<double> used_by_others(const PhaseReport& phase);

/// At how many records per second the CPUs of this machine would all be in use: at the CPU that each has
/// cost, and with what others use left to them. nullopt where PostgreSQL's part in it is not known.
[[nodiscard]] std::optional<double> records_per_sec_by_cpu(const PhaseReport& phase);

/// "processes.consumer-0.cpuShare".
[[nodiscard]] std::string cpu_figure(const std::string& role);

/// "<who> used 16 % of a core and waited for a CPU for 40 % of the time".
[[nodiscard]] std::string cpu_text(const std::string& who, const ProcessReport& process);

/// How full the machine was, and by whom.
[[nodiscard]] Evidence machine_evidence(const PhaseReport& phase, double cpu_count);

/// 0.163 as "16 %".
[[nodiscard]] std::string percent(double share);

}  // namespace walstorm::measure
