#pragma once

#include <string>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/run/run.h"
#include "orchestrator/search/plan.h"
#include "orchestrator/trial/trials.h"

namespace walstorm::search {

/// `walstorm search`: finds the greatest value that passes, by one run a trial. Leaves a folder with every
/// trial's own, search.json and search.md, also when it is interrupted, and goes on from there with `resume`.
///
/// A trial whose run fails is an answer: its value fails. A run that cannot begin is none, and ends the
/// search; `resume` tries it again.
///
/// Returns the exit code: 0 with an answer, 99 when not even the least value passes, 1 when a run failed,
/// with an answer or without, 130 when interrupted. Throws Error for bad options and an environment that was
/// never ready.
[[nodiscard]] int carry_out(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
                            const run::Display& display);

/// `walstorm search --dry-run`: what it would do, in words. Starts nothing. Throws Error for bad options.
[[nodiscard]] std::string dry_run_text(const trial::Resolve& resolve, const Options& options);

}  // namespace walstorm::search
