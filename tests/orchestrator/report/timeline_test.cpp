#include "orchestrator/report/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "orchestrator/report/report_md.h"
#include "orchestrator/report/timeseries_csv.h"
#include "orchestrator/text/csv.h"
#include "orchestrator/text/format.h"
#include "tests/orchestrator/report/example_report.h"

namespace walstorm::report::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;

std::map<std::string, Timeline> read(const std::string& csv) {
  std::istringstream in(csv);
  return read_timelines(in);
}

/// A phase whose rate rises from 0 to `seconds` - 1.
Timeline rising(int seconds) {
  Timeline timeline;
  for (int i = 0; i < seconds; ++i) {
    timeline.produced_per_sec.emplace_back(i);
    timeline.landed_per_sec.emplace_back(i);
    timeline.lag_p99_ms.emplace_back(i == seconds / 2 ? 500 : 10);
  }
  return timeline;
}

TEST(CsvFields, AreWhatARowWasMadeOf) {
  const std::vector<std::string> fields{"a,b", "say \"hi\"", "", "plain", "\""};
  EXPECT_EQ(text::csv_fields(text::csv_row(fields)), fields);
}

TEST(Timelines, AreReadFromWhatARunWrote) {
  measure::Second second = example_second();
  std::string csv = csv_header({"orchestrator"}) + csv_line(second, {"orchestrator"});
  second.phase = "a, b";
  second.lag_p99_ms.reset();
  csv += csv_line(second, {"orchestrator"}) + "2026-01-31T12:00:00.123Z,cut off";
  const auto timelines = read(csv);
  ASSERT_EQ(timelines.size(), 2U);
  EXPECT_THAT(timelines.at("baseline").produced_per_sec, ElementsAre(Optional(5003.2)));
  EXPECT_THAT(timelines.at("baseline").landed_per_sec, ElementsAre(Optional(4998)));
  EXPECT_THAT(timelines.at("baseline").lag_p99_ms, ElementsAre(Optional(181)));
  EXPECT_THAT(timelines.at("a, b").lag_p99_ms, ElementsAre(std::nullopt));
}

TEST(Timelines, KeepTheRoomOfSecondsThatNobodySaw) {
  measure::Second second = example_second();
  std::string csv = csv_header({"orchestrator"}) + csv_line(second, {"orchestrator"});
  second.phase_elapsed_sec += 4.02;  // stood still for three
  csv += csv_line(second, {"orchestrator"});
  EXPECT_THAT(read(csv).at("baseline").produced_per_sec,
              ElementsAre(Optional(5003.2), std::nullopt, std::nullopt, std::nullopt, Optional(5003.2)));
}

TEST(Timelines, OfAForeignOrMissingFileAreNone) {
  EXPECT_THAT(read(""), IsEmpty());
  EXPECT_THAT(read("x,y\n1,2\n"), IsEmpty());
  EXPECT_THAT(read_timelines(std::filesystem::path("/nonexistent/timeseries.csv")), IsEmpty());
}

TEST(TimelineText, DrawsEachFigureFromZeroToItsHighest) {
  EXPECT_EQ(timeline_text(rising(8)),
            "Over time, drain included:\n\n```\n"
            "produced ▁▂▃▄▅▆▇█  up to 7/s\n"
            "landed   ▁▂▃▄▅▆▇█  up to 7/s\n"
            "lag p99  ▁▁▁▁█▁▁▁  up to 500 ms\n```\n\n");
}

TEST(TimelineText, KeepsTheWorstLagOfALongPhase) {
  const std::string text = timeline_text(rising(7200));
  EXPECT_THAT(text, HasSubstr("█"));
  EXPECT_THAT(text, HasSubstr("up to 500 ms"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(text::display_width(line), 100U) << line;
}

TEST(TimelineText, LeavesABlankWhereNothingWasMeasured) {
  Timeline timeline = rising(4);
  timeline.landed_per_sec = {3, std::nullopt, 0, 3};
  timeline.lag_p99_ms.assign(4, std::nullopt);
  const std::string text = timeline_text(timeline);
  EXPECT_THAT(text, HasSubstr("landed   █ ▁█  up to 3/s"));
  EXPECT_THAT(text, Not(HasSubstr("lag p99")));
}

TEST(TimelineText, OfAPhaseTooShortForACourseIsEmpty) {
  EXPECT_EQ(timeline_text(rising(2)), "");
  EXPECT_EQ(timeline_text({}), "");
}

TEST(ReportMd, DrawsTheCourseOfEachPhaseThatHasOne) {
  const std::string text = report_md(full_report(), this_tool(), {{"peak", rising(8)}});
  EXPECT_THAT(text, HasSubstr("produced ▁▂▃▄▅▆▇█"));
  EXPECT_GT(text.find("Over time"), text.find("### peak"));
  EXPECT_THAT(report_md(full_report()), Not(HasSubstr("Over time")));
}

}  // namespace
}  // namespace walstorm::report::test
