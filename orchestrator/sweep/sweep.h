#pragma once

#include <string>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/run/run.h"
#include "orchestrator/sweep/plan.h"
#include "orchestrator/trial/trials.h"

namespace walstorm::sweep {

/// `walstorm sweep`: runs the config with every combination of values, some times over, in an order that
/// spreads a machine's drift. Leaves a folder with every run's own, sweep.json, sweep.md and a CSV for each
/// figure, also when it is interrupted, and goes on from there with `resume`.
///
/// A run that fails, or cannot begin, is an answer of its cell's: it is kept as failed, and the others go on.
/// Only several in a row that could not begin end the sweep, since it is the environment then; `resume` tries
/// those again.
///
/// Every cell's config is checked before the first run. Returns the exit code: 0 when all was run, 1 when a
/// run failed, 130 when interrupted. Throws Error for bad options and an environment that was never ready.
[[nodiscard]] int carry_out(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
                            const run::Display& display);

/// `walstorm sweep --dry-run`: its cells and runs, in words. Starts nothing. Throws Error for bad options.
[[nodiscard]] std::string dry_run_text(const trial::Resolve& resolve, const Options& options);

}  // namespace walstorm::sweep
