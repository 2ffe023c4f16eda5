#pragma once

#include <string>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"

/// What was observed of the WAL, PostgreSQL and the clocks, in words.
namespace walstorm::report {

/// A table of where a phase's WAL was, header first: a row for each distance, in bytes and seconds.
[[nodiscard]] std::vector<std::vector<std::string>> ladder_rows(const measure::LadderReport& ladder);

/// "Slot: reserved. Walsender: streaming; waited for ... (62 %). ..."; empty when nothing was seen.
[[nodiscard]] std::string postgres_text(const measure::PostgresReport& postgres);

/// "90.000 s ahead of PostgreSQL's (± 0.05 ms)", or "PostgreSQL's within 0.05 ms".
[[nodiscard]] std::string clock_text(const measure::ClockReport& clock);

/// Whether a clock is off by more than the measurement leaves open.
[[nodiscard]] bool is_off(const measure::ClockReport& clock);

}  // namespace walstorm::report
