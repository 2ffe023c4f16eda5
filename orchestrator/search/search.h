#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "orchestrator/process/event_loop.h"
#include "orchestrator/run/run.h"
#include "orchestrator/search/search_report.h"
#include "orchestrator/trial/trials.h"

namespace walstorm::search {

struct Options {
  Question question;
  std::optional<std::string> phase;  ///< the one that trials are made of; else the first that is no warm-up
  std::optional<std::filesystem::path> resume;
};

/// `walstorm search`: finds the greatest value that passes, by one run a trial. Leaves a folder with every
/// trial's own, search.json and search.md, also when it is interrupted or a run fails, and goes on from there
/// with `resume`.
///
/// Returns the exit code: 0 with an answer, 99 when not even the least value passes, 1 when a run failed, 130
/// when interrupted. Throws Error for bad options and an environment that was never ready.
[[nodiscard]] int carry_out(process::EventLoop& loop, const trial::Resolve& resolve, const Options& options,
                            const run::Display& display);

}  // namespace walstorm::search
