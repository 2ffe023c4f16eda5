#include "orchestrator/cli/past_folders.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/compare/compare_json.h"
#include "orchestrator/compare/comparison.h"
#include "orchestrator/report/metrics_json.h"
#include "orchestrator/report/run_folders.h"
#include "proto/wire/error.h"
#include "tests/orchestrator/report/example_report.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::report::test {  // the example report is there
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kHourUs = 3'600'000'000;

class PastFolders : public testing::Test {
 protected:
  [[nodiscard]] const fs::path& output() const { return folder_.path(); }

  void put(const std::string& folder, const std::string& file, const std::string& text) const {
    fs::create_directories(output() / folder);
    std::ofstream(output() / folder / file) << text;
  }

  /// full_report()'s run, `hours` later.
  void put_run(const std::string& folder, int hours) const {
    measure::RunReport report = full_report();
    report.started_at_unix_us += hours * kHourUs;
    put(folder, "metrics.json", metrics_json(report, {}).dump());
  }

 private:
  tests::TemporaryFolder folder_;
};

TEST_F(PastFolders, AreListedNewestFirstWithTheirBestRateAndWorstVerdict) {
  put_run("a-run", 0);
  put_run("b-run", 2);
  put("c-compare", compare::kCompareFile,
      compare::compare_json({}, full_report().started_at_unix_us + kHourUs));
  put("notes", "todo.txt", "is no command's");
  const auto all = past_folders(output());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].folder, "b-run");
  EXPECT_EQ(all[1].folder, "c-compare");
  EXPECT_EQ(all[1].kind, "compare");
  EXPECT_EQ(all[1].outcome, "passed");
  EXPECT_EQ(all[2].folder, "a-run");
  EXPECT_EQ(all[2].name, "quickstart");
  EXPECT_EQ(all[2].outcome, "thresholds-crossed");
  EXPECT_EQ(all[2].phases, 3U);
  EXPECT_EQ(all[2].best_rate, 4991) << "of the sustained phase that is no warm-up";
  EXPECT_EQ(all[2].worst_verdict, measure::VerdictState::falling_behind);
  const std::string text = past_folders_text(all, output());
  EXPECT_THAT(text, HasSubstr("2026-01-31 14:00:00"));
  EXPECT_THAT(text, HasSubstr("4,991/s"));
}

TEST_F(PastFolders, OfSearchAndSweepSayWhyTheyStopped) {
  put("s", "search.json",
      R"({"schemaVersion":1,"name":"x","startedAtUnixUs":1,"stopReason":"converged","lastPassing":{"achieved":4100}})");
  put("w", "sweep.json", R"({"schemaVersion":1,"name":"x","startedAtUnixUs":2,"stopReason":null})");
  const auto all = past_folders(output());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].kind, "sweep");
  EXPECT_EQ(all[0].outcome, "not finished");
  EXPECT_EQ(all[1].kind, "search");
  EXPECT_EQ(all[1].outcome, "converged");
  EXPECT_EQ(all[1].best_rate, 4100);
}

TEST_F(PastFolders, ThatCannotBeReadAreNamedAndStopNothing) {
  put_run("good", 0);
  put("bad", "metrics.json", "{");
  put("foreign", "search.json", "[]");
  put("unfinished", "config.json", "{}");
  const auto all = past_folders(output());
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].folder, "good");
  const std::string text = past_folders_text(all, output());
  EXPECT_THAT(text, HasSubstr("\nbad: "));
  EXPECT_THAT(text, HasSubstr("is not the report of a run"));
  EXPECT_THAT(text, HasSubstr("\nforeign: is not JSON\n"));
  EXPECT_THAT(text, HasSubstr("\nunfinished: it goes on still, or was broken off"));
}

TEST_F(PastFolders, NoneAreSaidToBeNone) {
  EXPECT_EQ(past_folders_text(past_folders(output()), output()), "no runs in " + output().string() + "\n");
  EXPECT_THROW((void)past_folders(output() / "not there"), wire::Error);
}

TEST_F(PastFolders, AFolderStandsForItselfOrForTheRunsInIt) {
  put_run("sweep/run-2", 0);
  put_run("sweep/run-1", 0);
  put("sweep/logs", "x.log", "");
  EXPECT_THAT(report::run_folders(output() / "sweep"),
              ElementsAre(output() / "sweep" / "run-1", output() / "sweep" / "run-2"));
  EXPECT_THAT(report::run_folders(output() / "sweep" / "run-1"), ElementsAre(output() / "sweep" / "run-1"));
  EXPECT_THROW((void)report::run_folders(output()), wire::Error) << "runs of folders below are not meant";
}

}  // namespace
}  // namespace walstorm::report::test
