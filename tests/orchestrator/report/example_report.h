#pragma once

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::report::test {

/// A run with a warm-up, a phase that was sustained, one that fell behind, and all figures there are.
[[nodiscard]] measure::RunReport full_report();

/// A run whose one phase failed before anything was measured.
[[nodiscard]] measure::RunReport bare_report();

/// One second of the "baseline" phase.
[[nodiscard]] measure::Second example_second();

}  // namespace walstorm::report::test
