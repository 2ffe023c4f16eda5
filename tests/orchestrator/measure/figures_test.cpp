#include "orchestrator/measure/figures/figures.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "orchestrator/measure/figures/figure_table.h"
#include "orchestrator/report/metrics_json.h"
#include "orchestrator/report/metrics_reader.h"
#include "orchestrator/text/or_null.h"
#include "tests/orchestrator/report/example_report.h"

namespace walstorm::measure::test {
namespace {

using Json = nlohmann::ordered_json;

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

/// Every number in `json` by its path; processes by their role.
void collect(const Json& json, const std::string& path, std::map<std::string, Json>& found) {
  if (json.is_number()) {
    found[path] = json;
  } else if (json.is_structured()) {
    for (const auto& [key, child] : json.items()) {
      const std::string name =
          child.is_object() && child.contains("role") ? child["role"].get<std::string>() : key;
      collect(child, path.empty() ? name : path + "." + name, found);
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
    collect(report::metrics_json(report, {})["phases"][i], "", numbers);
    EXPECT_GT(numbers.size(), 120U);
    for (const auto& [path, value] : numbers) {
      if (is_no_figure(path)) continue;
      EXPECT_EQ(text::or_null(figure_of(report.phases[i], path)), value) << path << " of phase " << i;
    }
  }
}

/// Fills every member that a report may have with a number of its own.
class Filler final {
 public:
  template <typename T>
  void figure(const char* /*name*/, std::optional<T>& member, FigureTraits /*traits*/) {
    member = static_cast<T>(++last_);
  }
  template <typename T>
  void figure(const char* /*name*/, T& member, FigureTraits /*traits*/) {
    member = static_cast<T>(++last_);
  }
  void count(const char* name, std::uint64_t& member, bool /*is_known*/, FigureTraits traits) {
    figure(name, member, traits);
  }
  static void is_known(const char* /*name*/, bool& flag) { flag = true; }
  void target(const char* /*name*/, config::Load& load, FigureTraits /*traits*/) {
    load = config::ConstantLoad{static_cast<double>(++last_)};
  }
  template <typename Body>
  void object(const char* /*name*/, const Body& body) {
    body(*this);
  }
  template <typename T, typename Body>
  void optional_object(const char* /*name*/, std::optional<T>& member, const Body& body) {
    body(*this, member.emplace());
  }
  void processes(const char* /*name*/, std::vector<ProcessReport>& all) {
    for (ProcessReport& process : all) visit(*this, process);
  }
  template <typename T>
  static void fact(const char* /*name*/, T& /*member*/) {}
  template <typename T>
  static void known_fact(const char* /*name*/, T& /*member*/, bool /*is_known*/) {}
  static void text(const char* /*name*/, std::string& /*member*/) {}
  static void time(const char* /*name*/, std::optional<std::int64_t>& /*unix_us*/) {}
  template <typename T>
  static void word(const char* /*name*/, T& /*member*/, T /*last*/) {}
  template <typename T>
  static void list(const char* /*name*/, std::vector<T>& /*objects*/) {}

 private:
  int last_ = 1000;
};

TEST(Figures, OfTheTableAreAllWrittenReadBackEqualAndMayBeNamed) {
  RunReport report = report::test::full_report();
  PhaseReport& phase = report.phases.at(2);
  Filler filler;
  visit(filler, phase);
  const Json written = report::metrics_json(report, {});
  const PhaseReport again = report::parse_run(written.dump(), "metrics.json").report.phases.at(2);
  std::map<std::string, Json> numbers;
  collect(written["phases"][2], "", numbers);
  std::vector<std::string> paths;
  for (const Figure& figure : figures()) paths.push_back(figure.path);
  for (const ProcessReport& process : phase.processes) {
    for (const Figure& figure : process_figures())
      paths.push_back("processes." + process.role + "." + figure.path);
  }
  EXPECT_GT(paths.size(), 200U);
  std::set<double> values;
  const config::FigureNames names = figure_names();
  for (const std::string& path : paths) {
    const auto value = figure_of(phase, path);
    ASSERT_TRUE(value) << path;
    EXPECT_TRUE(values.insert(*value).second) << path << " has the value of another";
    EXPECT_EQ(numbers[path], Json(*value)) << path << " is not where its name says";
    EXPECT_EQ(figure_of(again, path), value) << path;
    const bool of_process = path.starts_with("processes.");
    const std::string name = of_process ? path.substr(path.rfind('.') + 1) : path;
    const auto& nameable = of_process ? names.of_process : names.of_phase;
    EXPECT_TRUE(std::any_of(nameable.begin(), nameable.end(), [&name](const config::FigureName& each) {
      return each.path == name;
    })) << path;
  }
}

TEST(Figures, AreShownInTheirUnit) {
  EXPECT_EQ(figure_text("course.acknowledgedPerSec", 3000), "3,000/s") << "a rate, not 50 minutes";
  EXPECT_EQ(figure_text("course.lagEndSec", 90), "90 s");
  EXPECT_EQ(figure_text("producer.throughputPerSec.count", 60), "60") << "of how many seconds, and no rate";
  EXPECT_EQ(figure_text("processes.consumer-0.rssMaxBytes", 48'000'000), "48.0 MB");
  EXPECT_EQ(figure_text("busy.flushesFull", 0.97), "97.0 %");
  EXPECT_EQ(figure_text("consumer.recordsPerFlush", 12.5), "12.5");
  EXPECT_EQ(figure_text("2 * consumer.lagMs.p99", 560), "560") << "no figure of the table";
  EXPECT_EQ(figure_text("consumer.lagMs.p99", std::nullopt), "–");
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
