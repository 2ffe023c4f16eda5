#pragma once

#include <optional>
#include <string>

#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/measure/judge/bottleneck.h"

/// What a phase's load met in PostgreSQL that no average shows.
namespace walstorm::measure {

/// "21 of 32 transactions were rolled back by PostgreSQL (40001: 21) and tried again". Empty when none was.
[[nodiscard]] std::string roll_backs_text(const ProducerReport& producer);

/// The same as evidence; nullopt when none was.
[[nodiscard]] std::optional<Evidence> roll_backs(const PhaseReport& phase);

/// One connection that sat in a transaction while the others had time: told before anyone is blamed, as their
/// average hides it. nullopt when there was none.
[[nodiscard]] std::optional<Evidence> held_connection(const PhaseReport& phase, const PipeSettings& settings);

/// Of a load that missed its schedule without a lack of the producers' CPU: adds what of the above there was
/// to the evidence, and says true when `blame` now tells who was at fault. `had_time`: neither the
/// connections nor PostgreSQL were busy on average.
[[nodiscard]] bool blame_load(const PhaseReport& phase, const PipeSettings& settings, bool had_time,
                              Blame& blame);

}  // namespace walstorm::measure
