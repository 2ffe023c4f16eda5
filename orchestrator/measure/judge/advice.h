#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/measure/judge/busy.h"

/// What to try next against each bottleneck: sentences that name a key, its present value and a direction,
/// most promising first. Only what the settings do not do already.
namespace walstorm::measure {

[[nodiscard]] std::vector<std::string> sink_advice(const PhaseReport& phase, const PipeSettings& settings);
[[nodiscard]] std::vector<std::string> consumer_advice(const PhaseReport& phase,
                                                       const PipeSettings& settings);
/// For a process ("consumer") that got no more than `share` of a core though it wanted more; `by_others`:
/// what processes that are none of the run's used of all CPUs.
[[nodiscard]] std::vector<std::string> starvation_advice(const std::string& process,
                                                         const PipeSettings& settings, double share,
                                                         std::optional<double> by_others);
/// ... because the run's own processes use this machine up.
[[nodiscard]] std::vector<std::string> crowded_advice(const std::string& process,
                                                      const PipeSettings& settings, double share);
/// Whichever of the two it is, for `process` ("consumer") as it is in `phase`.
[[nodiscard]] std::vector<std::string> cpu_advice(const std::string& process, const PhaseReport& phase,
                                                  const PipeSettings& settings, const ProcessReport& report);
/// For a walsender that writes transactions to disk; that is short of CPU; that waits for its disk.
[[nodiscard]] std::vector<std::string> spill_advice(const PipeSettings& settings);
[[nodiscard]] std::vector<std::string> decoding_advice(const PipeSettings& settings);
[[nodiscard]] std::vector<std::string> disk_advice(const PipeSettings& settings);
[[nodiscard]] std::vector<std::string> network_advice(const PipeSettings& settings);
[[nodiscard]] std::vector<std::string> producer_advice(const PipeSettings& settings);
/// For producers whose connections were all busy.
[[nodiscard]] std::vector<std::string> write_advice(const PhaseReport& phase, const PipeSettings& settings);
/// ... because this machine has no CPU left: more connections would only wait for one.
[[nodiscard]] std::vector<std::string> full_machine_advice(const PipeSettings& settings);

}  // namespace walstorm::measure
