// Runs that were profiled, beside each other.

#include "orchestrator/compare/profile_change.h"

#include <filesystem>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "orchestrator/compare/compare_json.h"
#include "orchestrator/compare/compare_text.h"
#include "orchestrator/profile/profile_folder.h"
#include "tests/orchestrator/compare/example_runs.h"
#include "tests/orchestrator/profile/made_profile.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::compare {
namespace {

namespace fs = std::filesystem;
using profile::test::profile_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Profiled : public testing::Test {
 protected:
  /// A run that spends so many samples on each.
  report::RecordedRun run(const std::string& name, std::uint64_t compress, std::uint64_t decode) {
    report::RecordedRun run = test::run_with(10, name);
    run.report.folder = (folder_.path() / name).string();
    profile::write_profile_folder(
        fs::path(run.report.folder) / profile::kProfileFolder, name,
        profile_of({{{"main", "walstorm::consumer::Compressor::compress"}, compress},
                    {{"main", "walstorm::consumer::PgoutputDecoder::decode"}, decode}}),
        {}, profile::Modules(), {});
    return run;
  }
  report::RecordedRun run_without(const std::string& name) {
    report::RecordedRun run = test::run_with(10, name);
    run.report.folder = (folder_.path() / name).string();
    return run;
  }

  tests::TemporaryFolder folder_;
};

Comparison compared(const Runs& base, const Runs& candidate) {
  Comparison comparison = compare_runs(base, candidate, {});
  comparison.profile = compare_profiles(base, candidate, 25);
  return comparison;
}

TEST_F(Profiled, TheSamplesOfASidesRunsAreAddedUp) {
  const auto change = compare_profiles({run("b1", 100, 300), run("b2", 100, 300)},
                                       {run("c1", 300, 100), run("c2", 310, 90)}, 25);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->base_runs, 2U);
  ASSERT_EQ(change->targets.size(), 1U);
  const profile::TargetDiff& consumer = change->targets[0];
  EXPECT_EQ(consumer.base_samples, 800U);
  EXPECT_EQ(consumer.candidate_samples, 800U);
  for (const auto& row : consumer.modules) {
    if (row.name != "compress") continue;
    EXPECT_EQ(row.base_samples, 200U);
    EXPECT_EQ(row.candidate_samples, 610U);
    EXPECT_TRUE(row.differs());
  }
  EXPECT_TRUE(change->notes.empty());
}

TEST_F(Profiled, OneSideAloneIsNoComparison) {
  EXPECT_FALSE(compare_profiles({run("b", 1, 1)}, {run_without("c")}, 25));
  EXPECT_FALSE(compare_profiles({run_without("b")}, {run_without("c")}, 25));
}

TEST_F(Profiled, RunsWithoutAProfileAndDamagedOnesAreTold) {
  auto damaged = run("b2", 100, 100);
  profile::write_file(fs::path(damaged.report.folder) / "profile" / "all.pb.gz", "nonsense");
  const auto change =
      compare_profiles({run("b1", 100, 100), damaged, run_without("b3")}, {run("c", 100, 100)}, 25);
  ASSERT_TRUE(change);
  EXPECT_THAT(change->notes, ElementsAre(AllOf(HasSubstr("base "), HasSubstr("its profile cannot be read")),
                                         "1 of the 3 runs of the base have a profile"));
  const std::string text =
      compare_text(compared({run("b1", 100, 100), run_without("b4")}, {run("c", 100, 100)}), "f", false);
  EXPECT_THAT(text, HasSubstr("1 of the 2 runs of the base have a profile"));
}

TEST_F(Profiled, TheChangeStandsInEveryFileAndOnTheTerminal) {
  const Comparison comparison = compared({run("b", 100, 300)}, {run("c", 300, 100)});
  const std::string text = compare_text(comparison, "f", false);
  EXPECT_THAT(text, AllOf(HasSubstr("profile: 1 run of the base, 1 of the candidate\n"),
                          HasSubstr("consumer: compress takes 75.0 % of the CPU time instead of 25.0 %"),
                          HasSubstr("walstorm::consumer::Compressor::compress"), HasSubstr("+50.0 %"),
                          HasSubstr("two Poisson counts"), HasSubstr("f/flame.html")));
  const std::string md = compare_md(comparison);
  EXPECT_THAT(md, AllOf(HasSubstr("## profile: "), HasSubstr("| compress"),
                        HasSubstr("400 samples before, 400 now"), HasSubstr("`flame.html`")));
  const auto json = nlohmann::json::parse(compare_json(comparison, 0))["profile"];
  EXPECT_EQ(json["candidateRuns"], 1);
  EXPECT_EQ(json["targets"][0]["modules"][0]["candidateSamples"], 300);
  EXPECT_THAT(profile_page(*comparison.profile, "t"), HasSubstr("\"compares\":true"));
}

TEST_F(Profiled, WhatTheCountsCannotTellIsNoChange) {
  const std::string text = compare_text(compared({run("b", 10, 30)}, {run("c", 14, 26)}), "f", false);
  EXPECT_THAT(text, AllOf(HasSubstr("no module takes another share"), Not(HasSubstr("Compressor"))));
}

TEST_F(Profiled, WithoutProfilesNothingIsSaidOfThem) {
  const Comparison comparison = compared({run_without("b")}, {run_without("c")});
  EXPECT_THAT(compare_text(comparison, "f", false), Not(HasSubstr("profile")));
  EXPECT_THAT(compare_md(comparison), Not(HasSubstr("profile")));
  EXPECT_TRUE(nlohmann::json::parse(compare_json(comparison, 0))["profile"].is_null());
}

}  // namespace
}  // namespace walstorm::compare
