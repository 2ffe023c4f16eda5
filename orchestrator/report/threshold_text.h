#pragma once

#include <string>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::report {

/// Otherwise it has failed without having been crossed.
[[nodiscard]] bool is_measured(const measure::ThresholdResult& threshold);

/// "observed 35,000, limit 1,000; worst in the 5 s that ended 12.0 s into the load", or "never measured:
/// ...".
[[nodiscard]] std::string observed_text(const measure::ThresholdResult& threshold);

/// "consumer.lagMs.p99 < 1000", and over which window if over one.
[[nodiscard]] std::string expression_text(const measure::ThresholdResult& threshold);

}  // namespace walstorm::report
