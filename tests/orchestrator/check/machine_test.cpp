#include "orchestrator/check/machine.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace walstorm::check {
namespace {

using testing::HasSubstr;

TEST(Machine, TheDiskNeedsATenthMoreThanThePlanWrites) {
  EXPECT_EQ(judge_disk(1'101'000'000, 1'000'000'000).level, config::Level::ok);
  EXPECT_EQ(judge_disk(1'099'000'000, 1'000'000'000).level, config::Level::problem);
  EXPECT_THAT(judge_disk(500'000'000, 2'340'000'000).says,
              HasSubstr("about 2.3 GB (table and WAL), 500 MB are free"));
  EXPECT_EQ(judge_disk(std::nullopt, 1).level, config::Level::unknown);
}

TEST(Machine, PerfIsForInformation) {
  EXPECT_EQ(judge_perf("", 1, false).level, config::Level::note);
  EXPECT_EQ(judge_perf("/usr/bin/perf", 3, false).level, config::Level::note);
  EXPECT_THAT(judge_perf("/usr/bin/perf", 3, false).todo, HasSubstr("perf_event_paranoid"));
  EXPECT_EQ(judge_perf("/usr/bin/perf", 3, true).level, config::Level::ok);
  EXPECT_EQ(judge_perf("/usr/bin/perf", 2, false).level, config::Level::ok);
}

TEST(Machine, ResultsNeedAFolderThatCanBeMade) {
  const tests::TemporaryFolder folder;
  EXPECT_EQ(check_output_folder(folder.path() / "not" / "yet").level, config::Level::ok);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "not"));
  std::ofstream(folder.path() / "file") << "x";
  EXPECT_EQ(check_output_folder(folder.path() / "file" / "below").level, config::Level::problem);
}

}  // namespace
}  // namespace walstorm::check
