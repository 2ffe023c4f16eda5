#include "orchestrator/sweep/sweep_report.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "orchestrator/sweep/sweep_json.h"
#include "orchestrator/sweep/sweep_text.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/report/golden.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::sweep {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// Two keys, two repeats; a larger batch costs less CPU, more concurrency nothing, and one cell falls behind.
SweepReport made_up() {
  SweepReport report;
  report.name = "batches";
  report.config = R"({"producer":{"batchSize":50},"seed":1})";
  report.started_at_unix_us = 1'769'860'800'000'000;
  report.ended_at_unix_us = report.started_at_unix_us + 180'000'000;
  report.axes = {{"consumer.flushBatchSize", {"50", "1000"}}, {"consumer.maxFlushConcurrency", {"1", "8"}}};
  report.repeats = 2;
  report.cells = cells_of(report.axes, report.mode);
  report.stop_reason = "finished";
  for (std::size_t repeat = 0; repeat < report.repeats; ++repeat) {
    for (std::size_t cell = 0; cell < report.cells.size(); ++cell) {
      const bool large = report.cells[cell][0] == 1;
      const bool behind = cell == 0;
      const double jitter = repeat == 0 ? 1 : 1.03;
      CellTrial run{cell, {}};
      run.trial.run = "batches-cell0" + std::to_string(cell + 1);
      run.trial.outcome = measure::Outcome::passed;
      run.trial.verdict = behind ? measure::VerdictState::falling_behind : measure::VerdictState::sustained;
      run.trial.bottleneck = behind ? measure::Bottleneck::sink : measure::Bottleneck::none;
      run.trial.figures = {{"consumer.throughput", behind ? 2500 : 5000 * jitter},
                           {"consumer.lagMs.p50", behind ? 3000 * jitter : 40 * jitter},
                           {"consumer.lagMs.p99", behind ? 6000 * jitter : (large ? 90 : 91) * jitter},
                           {"consumer.recordsPerFlush", large ? 500 : 50},
                           {"consumer.cpuMicrosPerRecord", (large ? 4.0 : 8.0) * jitter}};
      report.trials.push_back(std::move(run));
    }
  }
  return report;
}

TEST(SweepReport, KnowsWhichCellsWereSustained) {
  const SweepReport report = made_up();
  EXPECT_FALSE(is_sustained(report, 0));
  EXPECT_TRUE(is_sustained(report, 1));
  SweepReport crossed = made_up();
  crossed.trials[1].trial.crossed = {"consumer.lagMs.p99 < 10"};
  EXPECT_FALSE(is_sustained(crossed, 1));
}

TEST(SweepReport, AdvisesOnlyAmongSustainedCellsAndOnlyBeyondNoise) {
  const SweepReport report = made_up();
  const auto lines = advice(report, tables_of(report));
  EXPECT_THAT(lines, Contains(HasSubstr("cannot be told")));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("least consumer CPU"), HasSubstr("flushBatchSize=1000"))));
  for (const std::string& line : lines)
    EXPECT_THAT(line, Not(HasSubstr("=50 consumer.maxFlushConcurrency=1")));
}

/// A second run of the last cell that failed half-way, with figures that would turn everything round.
SweepReport with_a_failed_run() {
  SweepReport report = made_up();
  trial::Trial& failed = report.trials.back().trial;
  failed.outcome = measure::Outcome::failed;
  failed.verdict = measure::VerdictState::failed;
  failed.failure = "consumer-0 ended in phase \"load\": signal 9\nproducer-0 was told to stop";
  for (auto& [path, value] : failed.figures) value *= 1000;
  return report;
}

TEST(SweepReport, TakesNoFigureOfARunThatFailed) {
  const SweepReport report = with_a_failed_run();
  EXPECT_EQ(failed_runs(report), 1U);
  EXPECT_FALSE(is_sustained(report, 3));
  for (const FigureTable& table : tables_of(report)) {
    EXPECT_EQ(table.samples[3].size(), 1U) << table.path;
    EXPECT_EQ(table.analysis.cells[3].count, 1U) << table.path;
  }
  for (const std::string& line : advice(report, tables_of(report)))
    EXPECT_THAT(line, Not(HasSubstr("=1000 consumer.maxFlushConcurrency=8")));
}

TEST(SweepReport, TellsOfRunsThatFailed) {
  const SweepReport report = with_a_failed_run();
  const std::string text = sweep::sweep_text(report, "/out/batches-sweep", false);
  EXPECT_THAT(text,
              HasSubstr("1 of 8 runs failed; no figure is of them:\n"
                        "  consumer.flushBatchSize=1000 consumer.maxFlushConcurrency=8: consumer-0 ended in "
                        "phase \"load\": signal 9 (batches-cell04)\n"));
  EXPECT_THAT(text, HasSubstr("sustained; run failed"));
  EXPECT_THAT(text, HasSubstr("(1 of 2 runs)"));
  EXPECT_THAT(sweep::sweep_md(report), HasSubstr("## Runs that failed"));
  EXPECT_THAT(sweep::cell_run_line(report, 7),
              HasSubstr(": failed: consumer-0 ended in phase \"load\": signal 9"));
  const auto json = nlohmann::json::parse(sweep::sweep_json(report));
  EXPECT_EQ(json["failedRuns"], 1);
  EXPECT_EQ(json["cells"][3]["failedRuns"], 1);
  EXPECT_EQ(json["cells"][0]["failedRuns"], 0);
  EXPECT_EQ(json["trials"][7]["outcome"], "failed");
}

TEST(SweepText, SaysThatTheMedianOfTwoIsTheirGeometricMean) {
  SweepReport report = made_up();
  for (std::size_t run : {3U, 7U})
    report.trials[run].trial.figures = {{"consumer.lagMs.p50", run == 3 ? 10 : 1000}};
  const auto json = nlohmann::json::parse(sweep::sweep_json(report));
  EXPECT_NEAR(json["cells"][3]["figures"]["consumer.lagMs.p50"]["median"].get<double>(), 100, 1e-6);
  EXPECT_EQ(json["effects"]["consumer.lagMs.p50"]["scale"], "logarithmic");
  EXPECT_THAT(sweep::sweep_text(report, "/out", false), HasSubstr("of two of them their geometric mean)"));
  report.trials.front().trial.figures["consumer.lagMs.p50"] = 0;
  EXPECT_EQ(nlohmann::json::parse(sweep::sweep_json(report))["effects"]["consumer.lagMs.p50"]["scale"],
            "linear");
  EXPECT_THAT(sweep::sweep_text(report, "/out", false),
              HasSubstr("or the arithmetic one of a figure that was 0"));
}

TEST(SweepReport, SaysSoWhenNoCellWasSustained) {
  SweepReport report = made_up();
  for (CellTrial& run : report.trials) run.trial.verdict = measure::VerdictState::falling_behind;
  EXPECT_THAT(advice(report, tables_of(report)), Contains(HasSubstr("no cell was sustained")));
}

TEST(SweepReport, LeavesOutFiguresThatNoRunMeasured) {
  for (const FigureTable& table : tables_of(made_up()))
    EXPECT_NE(table.path, "processes.clickhouse.cpuMicrosPerRecord");
}

TEST(SweepJson, HasACellForEachCombinationWithItsSettings) {
  const auto json = nlohmann::json::parse(sweep::sweep_json(made_up()));
  ASSERT_EQ(json["cells"].size(), 4U);
  EXPECT_EQ(json["cells"][3]["settings"]["consumer.flushBatchSize"], 1000);
  EXPECT_EQ(json["cells"][0]["sustained"], false);
  EXPECT_EQ(json["cells"][2]["figures"]["consumer.cpuMicrosPerRecord"]["count"], 2);
  EXPECT_LT(json["effects"]["consumer.cpuMicrosPerRecord"]["keys"]["consumer.flushBatchSize"]["p"], 0.01);
}

TEST(SweepJson, IsReadBackSoThatASweepGoesOn) {
  const tests::TemporaryFolder folder;
  const auto file = folder.path() / sweep::kSweepFile;
  std::ofstream(file) << sweep::sweep_json(made_up());
  const SweepReport read = sweep::read_sweep(file);
  const SweepReport written = made_up();
  EXPECT_EQ(read.cells, written.cells);
  EXPECT_EQ(read.config, written.config);
  ASSERT_EQ(read.trials.size(), written.trials.size());
  EXPECT_EQ(read.trials[5].cell, written.trials[5].cell);
  EXPECT_EQ(read.trials[5].trial.figures, written.trials[5].trial.figures);
}

TEST(SweepJson, RefusesWhatIsNoSweep) {
  const tests::TemporaryFolder folder;
  const auto file = folder.path() / sweep::kSweepFile;
  std::ofstream(file) << "{\"schemaVersion\": 1}";
  EXPECT_THROW((void)sweep::read_sweep(file), wire::Error);
}

TEST(SweepText, IsAsItAlwaysWas) {
  const SweepReport report = made_up();
  report::test::expect_golden("sweep.txt", sweep::sweep_text(report, "/out/batches-sweep", false));
  report::test::expect_golden("sweep.md", sweep::sweep_md(report));
  for (const FigureTable& table : tables_of(report)) {
    if (table.path == "consumer.cpuMicrosPerRecord")
      report::test::expect_golden("sweep.csv", sweep::sweep_csv(report, table));
  }
}

}  // namespace
}  // namespace walstorm::sweep
