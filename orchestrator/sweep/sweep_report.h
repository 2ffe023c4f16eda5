#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/sweep/analysis.h"
#include "orchestrator/sweep/grid.h"
#include "orchestrator/trial/trial.h"

namespace walstorm::sweep {

/// One run of one cell.
struct CellTrial {
  std::size_t cell = 0;
  trial::Trial trial;
};

/// A sweep, under way or over: the content of sweep.json.
struct SweepReport {
  std::string name;
  std::int64_t started_at_unix_us = 0, ended_at_unix_us = 0;
  std::vector<Axis> axes;
  Mode mode = Mode::full;
  std::size_t repeats = 1;
  std::uint64_t seed = 1;
  std::string config;  ///< what it was begun with, as JSON (config/pipeline.h)
  std::vector<Cell> cells;
  std::vector<CellTrial> trials;  ///< in the order in which they were made
  /// "finished", "interrupted", "run-failed"; empty while it goes on.
  std::string stop_reason;
  std::string failure;  ///< why it ended before its last run; else empty
};

/// A figure of every cell, analysed.
struct FigureTable {
  std::string path;
  std::string label;        ///< over its column: "lag p99"
  bool tells_most = false;  ///< on the terminal too
  bool lower_is_better = true;
  bool has_better = true;                    ///< false for figures of which neither more nor less is better
  std::vector<std::vector<double>> samples;  ///< by cell
  FigureAnalysis analysis;
};

/// The figures that a sweep keeps and shows.
[[nodiscard]] const std::vector<std::string>& shown_figures();

/// How many runs failed.
[[nodiscard]] std::size_t failed_runs(const SweepReport& report);

/// Those of them that any run measured which did not fail: what a broken-off run measured is no figure of its
/// cell's.
[[nodiscard]] std::vector<FigureTable> tables_of(const SweepReport& report);

/// Whether every run of the cell was sustained and crossed no threshold, and none failed; false for a cell
/// without runs.
[[nodiscard]] bool is_sustained(const SweepReport& report, std::size_t cell);

/// What to set, a sentence for each figure that matters most, among the cells that are sustained: "for the
/// lowest lag p99: consumer.flushBatchSize=200 ...", or which cells cannot be told apart.
[[nodiscard]] std::vector<std::string> advice(const SweepReport& report,
                                              const std::vector<FigureTable>& tables);

}  // namespace walstorm::sweep
