#include "orchestrator/report/timeseries_csv.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "tests/orchestrator/report/example_report.h"
#include "tests/orchestrator/report/golden.h"

namespace walstorm::report::test {
namespace {

const std::vector<std::string> kRoles{"orchestrator", "producer-0", "consumer-0", "postgres-walsender"};

TEST(TimeseriesCsv, IsAsItAlwaysWas) {
  measure::Second empty;
  empty.at_unix_us = example_second().at_unix_us;
  empty.phase = "a, \"b\"";
  expect_golden("timeseries.csv",
                csv_header(kRoles) + csv_line(example_second(), kRoles) + csv_line(empty, kRoles));
}

TEST(TimeseriesCsv, HasAsManyFieldsOnEachLineAsInItsHeader) {
  const auto fields = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  EXPECT_EQ(fields(csv_header(kRoles)), fields(csv_line(example_second(), kRoles)));
  EXPECT_EQ(fields(csv_header(kRoles)), fields(csv_line(measure::Second{}, kRoles)));
}

}  // namespace
}  // namespace walstorm::report::test
