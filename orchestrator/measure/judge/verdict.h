#pragma once

#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/measure/judge/busy.h"

namespace walstorm::measure {

/// What a phase showed, by all else that its report has, with the figures that say so, who was slow, and what
/// to try next.
///
/// - failed: the phase failed or its ledger is broken.
/// - stalled: records waited and none was acknowledged, up to the load's end or for most of it.
/// - falling-behind: the drain did not end, or lasted as long as half the load; or the lag ended higher than
///   it began and was not coming down again; or a rising ramp's end waited longer than anything before it.
///   Said even where the generator fell short: the pipe then could not even keep up with less.
/// - generator-limited: the producers missed their schedule, and the pipe kept up with what they made.
/// - sustained: on target, no errors, the lag came back to its floor and was still near it at the load's end,
///   drained soon; and there were transactions enough to show it.
/// - marginal: none of these can be said; with the load that would tell, where a longer one would.
///
/// Growth is read off floors, not slopes or averages: a stall that passed does not count (TRAPS, Measuring
/// 7): those of `phase.backlog`. A "max" load has no target, so there only the pipe is judged, and the part
/// named is the one that held the producers.
[[nodiscard]] Verdict judge(const PhaseReport& phase, const PipeSettings& settings);

}  // namespace walstorm::measure
