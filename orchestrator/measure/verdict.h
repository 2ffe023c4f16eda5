#pragma once

#include "orchestrator/measure/pipe_course.h"
#include "orchestrator/measure/run_report.h"

namespace walstorm::measure {

/// What a phase showed, with the figures that say so.
///
/// - failed: the phase failed or its ledger is broken.
/// - falling-behind: the drain did not end, or lasted as long as half the load; or records waited longer and
///   longer, and fewer were acknowledged than produced. Said even where the generator fell short: the pipe
///   then could not even keep up with less.
/// - generator-limited: the producers missed their schedule, and the pipe kept up with what they made.
/// - sustained: on target, no errors, kept up, drained soon.
/// - marginal: none of these can be said, most often because the load was too short to tell.
///
/// Growth is read off floors, not slopes or averages: a stall that passed does not count (TRAPS, Measuring
/// 7). A "max" load has no target, so there only the pipe is judged.
[[nodiscard]] Verdict judge(const PhaseReport& phase, const PipeCourse& course);

}  // namespace walstorm::measure
