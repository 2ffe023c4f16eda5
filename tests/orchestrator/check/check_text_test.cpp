#include "orchestrator/check/check_text.h"

#include <gtest/gtest.h>

#include "tests/orchestrator/report/golden.h"

namespace walstorm::check {
namespace {

using report::test::expect_golden;

TEST(CheckText, ShowsEveryFindingWithWhatToDo) {
  const std::vector<Section> sections{
      {"PostgreSQL at db:5432 as \"load\"",
       {{config::Level::ok, "version", "15.18", ""},
        {config::Level::problem, "wal_level", "is replica", "set it to logical and restart PostgreSQL"},
        {config::Level::warning, "max_slot_wal_keep_size", "the slot is lost when behind by 100 MB",
         "raise it"},
        {config::Level::unknown, "disk space", "cannot be seen from here", "look there"},
        {config::Level::problem, "schema", "two lines:\n\t  the second", ""}}},
      {"This machine", {{config::Level::note, "perf", "is not installed", "apt-get install linux-perf"}}}};
  EXPECT_FALSE(is_ready(sections));
  expect_golden("not_ready.txt", check_text(sections));
}

TEST(CheckText, IsReadyWithWarnings) {
  const std::vector<Section> sections{
      {"Server", {{config::Level::ok, "a", "b", ""}, {config::Level::warning, "c", "d", "e"}}}};
  EXPECT_TRUE(is_ready(sections));
  expect_golden("ready.txt", check_text(sections));
}

}  // namespace
}  // namespace walstorm::check
