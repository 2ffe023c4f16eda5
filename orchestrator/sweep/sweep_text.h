#pragma once

#include <cstddef>
#include <string>

#include "orchestrator/sweep/sweep_report.h"

/// A sweep in words and as CSV.
namespace walstorm::sweep {

/// What came of a run: "run 3 of 18: consumer.flushBatchSize=50 ...: sustained, landed 5,000/s, lag p99 12
/// ms".
[[nodiscard]] std::string cell_run_line(const SweepReport& report, std::size_t index);

/// What to set, the table of cells, what each key did, and where the files are.
[[nodiscard]] std::string sweep_text(const SweepReport& report, const std::string& folder, bool colour);

[[nodiscard]] std::string sweep_md(const SweepReport& report);

/// One figure, a line for each cell: its settings, median, interval, and the value of every run.
[[nodiscard]] std::string sweep_csv(const SweepReport& report, const FigureTable& table);

}  // namespace walstorm::sweep
