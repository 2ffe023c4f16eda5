#include "orchestrator/measure/figures/figures.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "orchestrator/report/metrics_json.h"
#include "orchestrator/text/or_null.h"
#include "tests/orchestrator/report/example_report.h"

namespace walstorm::measure::test {
namespace {

using Json = nlohmann::ordered_json;
using testing::IsEmpty;

/// What is no figure: what others are explained or judged by, who a process is, and how often PostgreSQL
/// waited for what.
bool is_no_figure(const std::string& path) {
  static const std::vector<std::string> kBelow{"thresholds.",
                                               "verdict.evidence.",
                                               "targetThroughput.",
                                               "producer.errorsBySqlstate.",
                                               "postgres.walsenderStates.",
                                               "postgres.walsenderWaits.",
                                               "postgres.writerWaits."};
  return path.ends_with(".pid") || std::any_of(kBelow.begin(), kBelow.end(), [&](const std::string& prefix) {
           return path.starts_with(prefix);
         });
}

/// Every number in `json`, and every null where `nulls`, by its path; processes by their role.
void collect(const Json& json, const std::string& path, bool nulls, std::map<std::string, Json>& found) {
  if (json.is_number() || (nulls && json.is_null())) {
    found[path] = json;
  } else if (json.is_structured()) {
    for (const auto& [key, child] : json.items()) {
      const std::string name =
          child.is_object() && child.contains("role") ? child["role"].get<std::string>() : key;
      collect(child, path.empty() ? name : path + "." + name, nulls, found);
    }
  }
}

/// The first phase with every figure that the example has not measured, so that all of them are in the JSON.
RunReport whole_report() {
  RunReport report = report::test::full_report();
  PhaseReport& phase = report.phases.at(0);
  phase.verdict.capacity_estimate = 4321;
  phase.verdict.window_needed_sec = 240;
  double next = 1000;
  for (Rung* rung : {&phase.ladder.head_to_sent, &phase.ladder.sent_to_received,
                     &phase.ladder.received_to_flushed, &phase.ladder.flushed_to_confirmed}) {
    for (Range* range : {&rung->bytes, &rung->sec}) *range = {next, next + 2, next + 1}, next += 10;
  }
  phase.postgres.safe_wal_bytes_min = 5001;
  phase.postgres.spilled_transactions = 5002;
  phase.postgres.spilled_bytes = 5003;
  phase.postgres.streamed_transactions = 5004;
  phase.postgres.streamed_bytes = 5005;
  return report;
}

TEST(Figures, AreAllNumbersOfAPhaseInMetricsJsonWithTheirValues) {
  const RunReport report = whole_report();
  for (std::size_t i = 0; i < report.phases.size(); ++i) {
    std::map<std::string, Json> numbers;
    collect(report::metrics_json(report, {})["phases"][i], "", false, numbers);
    EXPECT_GT(numbers.size(), 120U);
    for (const auto& [path, value] : numbers) {
      if (is_no_figure(path)) continue;
      EXPECT_EQ(text::or_null(figure_of(report.phases[i], path)), value) << path << " of phase " << i;
    }
  }
}

TEST(Figures, HaveNoNameThatMetricsJsonHasNot) {
  const RunReport report = whole_report();
  const Json phase = report::metrics_json(report, {})["phases"][0];
  std::map<std::string, Json> leaves;
  collect(phase, "", true, leaves);
  std::vector<std::string> unknown;
  for (const Figure& figure : figures()) {
    // A report that does not show these objects at all shows none of their figures.
    const std::string section = figure.path.substr(0, figure.path.find('.'));
    const bool is_shown = (section != "ladder" && section != "postgres") || phase.contains(section);
    const bool is_late =
        figure.path == "verdict.windowNeededSec" && !phase["verdict"].contains("windowNeededSec");
    if (is_shown && !is_late && !leaves.contains(figure.path)) unknown.push_back(figure.path);
  }
  for (const ProcessFigure& figure : process_figures()) {
    if (!leaves.contains("processes.consumer-0." + figure.path)) unknown.push_back(figure.path);
  }
  EXPECT_THAT(unknown, IsEmpty());
}

TEST(Figures, EachHaveOneName) {
  std::set<std::string> names;
  for (const Figure& figure : figures()) EXPECT_TRUE(names.insert(figure.path).second) << figure.path;
}

TEST(Figures, AreNulloptWhereNothingWasMeasured) {
  const PhaseReport phase = report::test::bare_report().phases.at(0);
  for (const char* path :
       {"consumer.lagMs.p99", "producer.throughput", "producer.notStarted", "ledger.missing",
        "drain.durationSec", "verdict.capacityEstimate", "processes.orchestrator.cpuUserSec",
        "ladder.headToSent.bytes.max", "postgres.spilledBytes", "targetThroughput"}) {
    EXPECT_EQ(figure_of(phase, path), std::nullopt) << path;
  }
  EXPECT_EQ(figure_of(phase, "processes.nobody.cpuUserSec"), std::nullopt);
  EXPECT_EQ(figure_of(phase, "nothing.of.the.kind"), std::nullopt);
}

TEST(Figures, ReadEachLadderRungAndPostgresCountFromItsOwnPlace) {
  const PhaseReport phase = whole_report().phases.at(0);
  EXPECT_EQ(figure_of(phase, "ladder.headToSent.bytes.min"), 1000);
  EXPECT_EQ(figure_of(phase, "ladder.headToSent.bytes.max"), 1002);
  EXPECT_EQ(figure_of(phase, "ladder.headToSent.sec.end"), 1011);
  EXPECT_EQ(figure_of(phase, "ladder.flushedToConfirmed.sec.max"), 1072);
  EXPECT_EQ(figure_of(phase, "postgres.safeWalBytesMin"), 5001);
  EXPECT_EQ(figure_of(phase, "postgres.streamedBytes"), 5005);
  EXPECT_EQ(figure_of(phase, "verdict.windowNeededSec"), 240);
}

}  // namespace
}  // namespace walstorm::measure::test
