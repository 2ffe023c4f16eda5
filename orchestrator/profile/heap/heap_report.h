#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "orchestrator/profile/heap/heap_book.h"

namespace walstorm::profile {

/// From here on a heap has grown. Both are printed with what follows from them.
struct HeapLimits {
  std::uint64_t grown_bytes_min = 1'000'000;
  double grown_share_min = 0.05;  ///< of what was in use at the beginning
};

/// What a function of the program's, or of a library that it calls, has taken; with all that it calls for it.
struct HeapSite {
  std::string function, object;
  HeapFigures figures;
  double share = 0;  ///< of the bytes in use at the end
};

/// One target in one phase, or over all (phase "").
struct HeapTarget {
  std::string phase, target;
  HeapFigures figures;
  bool grew = false;
  std::vector<HeapSite> sites;  ///< those with most bytes in use at the end first
  std::string conclusion;       ///< whether memory grew, and where
};

struct HeapReport {
  std::string by;  ///< the profiler
  std::vector<HeapTarget> all, phases;
  HeapLimits limits;
};

/// One entry for each phase and target in the book; at most `sites_max` sites each.
[[nodiscard]] std::vector<HeapTarget> analyse_heap(const HeapBook& book, std::size_t sites_max,
                                                   const HeapLimits& limits = {});

/// Of profile.json: its key "heap".
[[nodiscard]] nlohmann::ordered_json heap_json(const HeapReport& report);
/// As Markdown: "## Heap" and what is below it; `folder` is where the files are.
[[nodiscard]] std::string heap_section(const HeapReport& report, const std::string& folder);
/// For the run's summary: a conclusion for each target, and what it cost.
[[nodiscard]] std::vector<std::string> heap_lines(const HeapReport& report);

}  // namespace walstorm::profile
