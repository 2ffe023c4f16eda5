#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <string>

#include "orchestrator/report/phase_text.h"
#include "orchestrator/report/report_md.h"
#include "orchestrator/report/summary.h"
#include "orchestrator/text/format.h"
#include "proto/wire/version.h"
#include "tests/orchestrator/report/example_report.h"
#include "tests/orchestrator/report/golden.h"

namespace walstorm::report::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kFolder = "./profiling-results/quickstart-2026-01-31T12-00-00Z";

/// The golden file must not change with every commit.
std::string without_build(std::string text) {
  for (const char* value : {wire::kGitRevision, wire::kToolVersion, wire::kBuildType}) {
    const std::string line_start = "| walstorm | ";
    const auto line = text.find(line_start);
    const auto at = text.find(value, line + line_start.size());
    if (*value != '\0' && at != std::string::npos) text.replace(at, std::string(value).size(), "?");
  }
  return text;
}

TEST(ReportMd, IsAsItAlwaysWas) {
  expect_golden("report.md", without_build(report_md(full_report())));
}

TEST(ReportMd, SaysWhyARunFailedBeforeAllElse) {
  const std::string text = report_md(bare_report());
  EXPECT_THAT(text, HasSubstr("# bare: failed\n\n**consumer-0 ended in phase \"peak\": signal 9**"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(Summary, IsAsItAlwaysWas) {
  expect_golden("summary.txt", summary(full_report(), kFolder, false));
}

TEST(Summary, OfAFailedRunIsAsItAlwaysWas) {
  expect_golden("summary_failed.txt", summary(bare_report(), kFolder, false));
}

TEST(Summary, FitsA120ColumnTerminal) {
  measure::RunReport report = full_report();
  report.phases[1].name = "a phase whose name goes on and on";
  report.phases[1].producer.throughput = 123'456;
  std::istringstream lines(summary(report, kFolder, false));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(text::display_width(line), 120U) << line;
}

TEST(Summary, UsesColourOnlyWhenAsked) {
  EXPECT_THAT(summary(full_report(), kFolder, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(summary(full_report(), kFolder, true), HasSubstr("\x1b[31mfalling-behind\x1b[0m"));
}

TEST(Summary, SaysOnceThatFlushesFailedWhateverTheVerdict) {
  const std::string says = "1,234 flushes failed, 1,230 were tried again";
  measure::RunReport report = full_report();
  EXPECT_THAT(summary(report, kFolder, false), Not(HasSubstr("flushes failed")));
  report.phases[2].consumer.errors = 1'234;
  report.phases[2].consumer.retries = 1'230;
  EXPECT_THAT(summary(report, kFolder, false), HasSubstr("\n  note: " + says + "\n"));
  EXPECT_THAT(report_md(report), HasSubstr("at the end; " + says + "."));
  report.phases[2].consumer.flush_error_last = "insert: connection refused";
  EXPECT_THAT(report_md(report), HasSubstr(says + "; the last was answered: insert: connection refused."));
  report.phases[2].verdict.evidence.push_back({"consumer.errors", 1'234, 0, says});
  EXPECT_THAT(summary(report, kFolder, false), Not(HasSubstr("note: " + says)));
  EXPECT_THAT(summary(report, kFolder, false), HasSubstr("flushes failed"));
}

TEST(Summary, ShowsThresholdsFirstAndWhetherTheyWereMeasured) {
  const std::string text = summary(full_report(), kFolder, false);
  EXPECT_THAT(text, ::testing::StartsWith(
                        "ok      peak: producer.errorRate < 0.01 (observed 0.0 %, limit 1.0 %)\n"
                        "crossed peak: consumer.lagMs.p99 < 1000 (observed 35.0 s, limit 1.0 s)\n"));
  EXPECT_THAT(text, HasSubstr("\nno data peak: consumer.parts.created < 100 (never measured: "
                              "consumer.parts.created)\n"));
  EXPECT_THAT(summary(full_report(), kFolder, true), HasSubstr("\x1b[31mcrossed \x1b[0mpeak"));
}

TEST(PhaseLine, TellsAPhaseAtOnceWithItsVerdict) {
  const std::string line = phase_line(full_report().phases[2], false);
  EXPECT_THAT(line, HasSubstr("peak: 5,000/s of 5,000/s"));
  EXPECT_THAT(line, HasSubstr("\n  falling-behind (sink, about 3,010/s): 30.0 s after the load"));
}

TEST(LedgerText, NamesWhatIsWrongAndWhere) {
  measure::ChangeLedger ledger{.produced = 10,
                               .received = 10,
                               .acknowledged = 8,
                               .missing = 2,
                               .duplicated = 0,
                               .replayed = 0,
                               .in_transit = 0,
                               .checksum_matches = false,
                               .broken_at = "sink"};
  EXPECT_EQ(ledger_text(ledger),
            "10 produced, 10 received, 8 acknowledged, CHECKSUMS DIFFER, 2 MISSING; BROKEN at the sink");
}

}  // namespace
}  // namespace walstorm::report::test
