#include "tests/orchestrator/compare/example_runs.h"

#include <fmt/format.h>

namespace walstorm::compare::test {
namespace {

measure::PhaseReport phase(const char* name, double lag_ms) {
  measure::PhaseReport phase;
  phase.name = name;
  phase.outcome = measure::Outcome::passed;
  phase.duration_sec = 60;
  phase.target = config::ConstantLoad{5000};
  phase.producer.throughput = 5000;
  phase.consumer.throughput = 4998;
  phase.consumer.lag_ms.count = 300'000;
  phase.consumer.lag_ms.p50 = lag_ms / 2;
  phase.consumer.lag_ms.p99 = lag_ms;
  phase.consumer.lag_ms.p999 = lag_ms * 2;
  phase.consumer.cpu_micros_per_record = 7.5;
  phase.processes = {{.role = "consumer-0",
                      .pid = 7,
                      .cpu_user_sec = {},
                      .cpu_system_sec = {},
                      .cpu_micros_per_record = 7.5,
                      .rss_max_bytes = 48'000'000,
                      .context_switches = {}}};
  phase.drain = {true, 0.2};
  phase.verdict.state = measure::VerdictState::sustained;
  phase.verdict.bottleneck = measure::Bottleneck::none;
  return phase;
}

}  // namespace

report::RecordedRun run_with(double lag_ms, const std::string& folder) {
  report::RecordedRun run;
  run.report.name = "steady";
  run.report.folder = "results/" + folder;
  run.report.outcome = measure::Outcome::passed;
  run.report.exit_code = 0;
  run.report.environment.host = "bench";
  run.report.environment.cpu_model = "Example CPU";
  run.report.environment.cpu_count = 2;
  run.report.environment.postgres_version = "15.8";
  run.report.environment.postgres_settings = {{"wal_level", "logical"}};
  run.report.phases = {phase("warmup", lag_ms * 10), phase("load", lag_ms)};
  run.report.phases[0].warmup = true;
  run.tool = {"0.1.0", "abc1234", "Release"};
  run.config = {{"name", "steady"},
                {"seed", "1"},
                {"phases.0.name", "warmup"},
                {"phases.1.name", "load"},
                {"phases.1.durationSec", "60"},
                {"phases.1.targetThroughput", "5000"},
                {"producer.batchSize", "100"},
                {"consumer.flushBatchSize", "50"},
                {"profiling.outputDir", "results"},
                {"database.url", "private"}};
  return run;
}

Runs runs_with(const std::vector<double>& lags_ms, const std::string& name) {
  Runs runs;
  for (const double lag_ms : lags_ms)
    runs.push_back(run_with(lag_ms, fmt::format("{}-{}", name, runs.size() + 1)));
  return runs;
}

measure::PhaseReport& load_of(report::RecordedRun& run) {
  return run.report.phases.at(1);
}

}  // namespace walstorm::compare::test
