#pragma once

#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"
#include "orchestrator/measure/judge/busy.h"

namespace walstorm::measure {

/// Which part held the others up, the figures that say so, and what to try next.
struct Blame {
  Bottleneck bottleneck = Bottleneck::unknown;
  std::vector<Evidence> evidence;
  std::vector<std::string> try_next;
};

/// Why records waited longer and longer, looked for from downstream up: a part that is full holds back all
/// before it, so theirs are no signs of their own. The consumer's loop, then the sink (flushes under way, or
/// records waiting for one), then what feeds the reader: the walsender (its core, its disk), and the network
/// when that one had time too. unknown only when figures are missing, and the evidence says which.
[[nodiscard]] Blame blame_pipe(const PhaseReport& phase, const PipeSettings& settings);

/// Why the producers wrote less than was due, or, unthrottled, no more than they did: producer when they ran
/// out of CPU, postgres_write when all their connections were busy with transactions (Little's law:
/// transactions per second times service time is the number of busy connections).
[[nodiscard]] Blame blame_generator(const PhaseReport& phase, const PipeSettings& settings);

/// Of a phase that nothing held up: none, and which of the parts was the busiest.
[[nodiscard]] Blame headroom(const PhaseReport& phase);

}  // namespace walstorm::measure
