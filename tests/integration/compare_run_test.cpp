// compare, report and list on what real runs left.

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <sstream>

#include "tests/support/run_fixture.h"

namespace walstorm::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;

constexpr double kRate = 1000;
/// The smallest number of runs a side with which a difference can be told.
constexpr int kRuns = 4;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A command that reads no config, in a process of its own; its --output is its own.
std::unique_ptr<WalstormRun> command(const std::string& name, std::vector<std::string> arguments) {
  return std::make_unique<WalstormRun>(json::object(), std::move(arguments), WALSTORM_BINARY, name);
}

class PastRuns : public OnAServer {
 protected:
  using Run = std::unique_ptr<WalstormRun>;

  /// A short run that has ended.
  Run run(double rate, const json& changes = json::object()) {
    auto made = std::make_unique<WalstormRun>(config({phase("load", 1, rate)}, changes));
    EXPECT_EQ(made->finish().code, 0) << made->output();
    return made;
  }

  static std::string folder(const Run& run) { return run->run_folder().value_or("").string(); }

  /// compare BASE... -- CANDIDATE... with options behind.
  static Run compare(const std::vector<Run>& base, const std::vector<Run>& candidate,
                     const std::vector<std::string>& options = {}) {
    std::vector<std::string> words;
    for (const Run& each : base) words.push_back(folder(each));
    words.emplace_back("--");
    for (const Run& each : candidate) words.push_back(folder(each));
    words.insert(words.end(), options.begin(), options.end());
    return command("compare", words);
  }
};

TEST_F(PastRuns, OfOneConfigCompareAsTheSameAndASlowerSinkAsWorse) {
  std::vector<Run> base;
  std::vector<Run> same;
  std::vector<Run> slow;
  // In turn, so that a machine that gets busier in the meantime does so for all three alike.
  for (int i = 0; i < kRuns; ++i) {
    base.push_back(run(kRate));
    same.push_back(run(kRate));
    slow.push_back(run(kRate, {{"consumer", {{"mockClickhouseDelay", 300}}}}));
  }

  const auto alike = compare(base, same, {"--fail-on", "consumer.lagMs.p50 > +200%"});
  EXPECT_EQ(alike->finish().code, 0) << alike->output();
  EXPECT_THAT(alike->output(), HasSubstr("differs   nothing"));
  EXPECT_THAT(alike->output(), HasSubstr("ok        consumer.lagMs.p50 > +200%"));
  const json report = json::parse(alike->read("compare.json"));
  EXPECT_EQ(report["outcome"], "passed");
  std::size_t told = 0;
  for (const json& figure : report["phases"][0]["figures"])
    told += figure["says"] == "better" || figure["says"] == "worse" ? 1 : 0;
  // A share of 5 % is expected by chance, and figures of one distribution move together.
  EXPECT_LT(told, report["tested"].get<std::size_t>() / 2) << alike->output();

  const auto worse = compare(base, slow, {"--fail-on", "consumer.lagMs.p50 > +50%"});
  EXPECT_EQ(worse->finish().code, 99) << worse->output();
  EXPECT_THAT(worse->output(), HasSubstr("differs   consumer.mockClickhouseDelay: 0 -> 300"));
  EXPECT_THAT(worse->output(), HasSubstr("crossed   consumer.lagMs.p50 > +50%"));
  const json lag = json::parse(worse->read("compare.json"))["phases"][0]["figures"]["consumer.lagMs.p50"];
  EXPECT_EQ(lag["says"], "worse");
  EXPECT_GE(lag["candidate"]["median"], 298) << "percentiles are off by at most 0.4 %";
  EXPECT_THAT(worse->read("compare.md"), HasSubstr("| consumer.lagMs.p50 |"));
}

TEST_F(PastRuns, OfAnotherLoadAreNotComparedUnlessForced) {
  std::vector<Run> base;
  std::vector<Run> other;
  base.push_back(run(kRate));
  other.push_back(run(kRate / 2));
  const auto refused = compare(base, other);
  EXPECT_EQ(refused->finish().code, 2) << refused->output();
  EXPECT_THAT(refused->output(), HasSubstr("phases.0.targetThroughput: 1000 -> 500"));
  EXPECT_EQ(refused->run_folder(), std::nullopt);

  const auto forced = compare(base, other, {"--force"});
  EXPECT_EQ(forced->finish().code, 0) << forced->output();
  EXPECT_THAT(forced->output(), HasSubstr("WARNING   the load differs"));
  EXPECT_THAT(forced->output(), HasSubstr("4 runs a side could"));

  const auto mistyped = compare(base, other, {"--fail-on", "consumer.lagMs.p9 > 5%"});
  EXPECT_EQ(mistyped->finish().code, 2) << mistyped->output();
  EXPECT_THAT(mistyped->output(), HasSubstr("did you mean consumer.lagMs.p"));
}

TEST_F(PastRuns, AreReportedAgainAsTheyWereAndListed) {
  // Long enough for a course to be drawn.
  auto made = std::make_unique<WalstormRun>(config({phase("load", 4, kRate)}));
  ASSERT_EQ(made->finish().code, 0) << made->output();
  const fs::path run_folder = folder(made);
  const fs::path report_md = run_folder / "report.md";
  const std::string before = text_of(report_md);
  EXPECT_THAT(before, HasSubstr("\nlanded   "));
  ASSERT_TRUE(fs::remove(report_md));
  const auto again = command("report", {run_folder.string()});
  EXPECT_EQ(again->finish().code, 0) << again->output();
  EXPECT_EQ(text_of(report_md), before);
  EXPECT_THAT(made->output(), EndsWith(again->output()));

  const std::string results = run_folder.parent_path().string();
  fs::create_directories(fs::path(results) / "broken");
  std::ofstream(fs::path(results) / "broken" / "metrics.json") << "{";
  const auto listed = command("list", {results});
  EXPECT_EQ(listed->finish().code, 0) << listed->output();
  EXPECT_THAT(listed->output(), HasSubstr(run_folder.filename().string()));
  EXPECT_THAT(listed->output(), HasSubstr("passed"));
  EXPECT_THAT(listed->output(), HasSubstr("\nbroken: "));

  const auto no_run = command("report", {results});
  EXPECT_EQ(no_run->finish().code, 2);
  EXPECT_THAT(no_run->output(), HasSubstr("there is no metrics.json in it"));
}

}  // namespace
}  // namespace walstorm::tests
