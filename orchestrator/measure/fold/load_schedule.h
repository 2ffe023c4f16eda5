#pragma once

#include <optional>

#include "orchestrator/config/config.h"

/// The arithmetic of a phase's target: what is due when. nullopt throughout for a "max" load, which has no
/// target.
namespace walstorm::measure {

/// Records due in the first `elapsed_sec` of it.
[[nodiscard]] std::optional<double> records_due(const config::Load& load, double duration_sec,
                                                double elapsed_sec);

/// How long the phase's schedule lasts: its duration, or less when its number of records is due before.
[[nodiscard]] std::optional<double> schedule_sec(const config::Phase& phase);

}  // namespace walstorm::measure
