#include "tests/support/evidence.h"

#include <gtest/gtest.h>
#include <utility>

#include "orchestrator/report/metrics_json.h"
#include "tests/orchestrator/measure/simulated_pipe.h"
#include "tests/orchestrator/report/example_report.h"

namespace walstorm::report::test {
namespace {

using measure::VerdictState;
using measure::test::SimulatedPipe;

nlohmann::json phase_of(const measure::PhaseReport& phase) {
  measure::RunReport run;
  run.phases = {phase};
  return metrics_json(run, {})["phases"][0];
}

/// Each way to a verdict names other figures.
class Evidence : public ::testing::TestWithParam<std::pair<SimulatedPipe, VerdictState>> {};

TEST_P(Evidence, SaysOfEachFigureWhatTheReportHas) {
  const auto& [pipe, state] = GetParam();
  const measure::PhaseReport phase = pipe.report();
  EXPECT_EQ(phase.verdict.state, state) << measure::to_string(phase.verdict.state);
  tests::expect_evidence_as_reported(phase_of(phase));
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryVerdict, Evidence,
    ::testing::Values(
        std::pair{SimulatedPipe{}, VerdictState::sustained},
        std::pair{SimulatedPipe{.load = config::MaxLoad{}}, VerdictState::sustained},
        std::pair{SimulatedPipe{.duration_sec = 2}, VerdictState::marginal},
        std::pair{SimulatedPipe{.sink_capacity = 9000, .stall_from_sec = 50, .stall_to_sec = 58},
                  VerdictState::marginal},
        std::pair{SimulatedPipe{.producer_capacity = 4000}, VerdictState::generator_limited},
        std::pair{SimulatedPipe{.sink_capacity = 4500, .drain_timeout_sec = 100},
                  VerdictState::falling_behind},
        std::pair{SimulatedPipe{.sink_capacity = 3000, .drain_timeout_sec = 1}, VerdictState::falling_behind},
        std::pair{
            SimulatedPipe{
                .load = config::RampLoad{1000, 10'000}, .sink_capacity = 6000, .drain_timeout_sec = 100},
            VerdictState::falling_behind},
        std::pair{SimulatedPipe{.stall_from_sec = 40, .stall_to_sec = 1000}, VerdictState::stalled}));

TEST(ExampleReport, HasEvidenceThatSaysWhatItHas) {
  for (const measure::PhaseReport& phase : full_report().phases)
    tests::expect_evidence_as_reported(phase_of(phase));
}

}  // namespace
}  // namespace walstorm::report::test
