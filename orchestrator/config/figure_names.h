#pragma once

#include <string>
#include <vector>

namespace walstorm::config {

/// When a figure is known: only once its phase has ended; of the phase so far while it runs, too; and even of
/// any window of it, by what was counted at the window's two ends.
enum class Known { at_the_end, so_far, over_a_window };

/// A figure that a threshold may name.
struct FigureName {
  std::string path;  ///< "consumer.lagMs.p99"; of a process what follows its role: "rssMaxBytes"
  Known known = Known::at_the_end;
};

/// All of them. What is measured is no business of a config, so this is handed in by who knows.
struct FigureNames {
  std::vector<FigureName> of_phase, of_process;
};

}  // namespace walstorm::config
