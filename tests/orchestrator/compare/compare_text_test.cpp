#include "orchestrator/compare/compare_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "orchestrator/compare/compare_json.h"
#include "tests/orchestrator/compare/example_runs.h"
#include "tests/orchestrator/report/golden.h"

namespace walstorm::report::test {
namespace {

using compare::Comparison;
using compare::Runs;
using compare::test::load_of;
using compare::test::runs_with;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kFolder = "./profiling-results/compare-2026-01-31T12-00-00Z";

std::vector<compare::Gate> gates(const std::vector<std::string>& texts) {
  const Runs runs = runs_with({10});
  std::vector<compare::Gate> all;
  for (const std::string& text : texts)
    all.push_back(compare::parse_gate(text, compare::known_figures(runs, runs)));
  return all;
}

/// Six runs a side: a lag that doubles, a throughput that drops a little, one failed run.
Comparison telling() {
  Runs base = runs_with({10, 11, 12, 13, 14, 15});
  Runs candidate = runs_with({20, 21, 22, 23, 24, 25}, "candidate");
  for (std::size_t i = 0; i < candidate.size(); ++i) {
    candidate[i].config["consumer.flushIntervalMs"] = "200";
    load_of(candidate[i]).consumer.throughput = 4990 + static_cast<double>(i);
    load_of(candidate[i]).consumer.errors = i;
    load_of(candidate[i]).verdict.state = measure::VerdictState::marginal;
    load_of(base[i]).consumer.cpu_micros_per_record = 7 + 0.1 * static_cast<double>(i);
  }
  candidate[5].report.outcome = measure::Outcome::failed;
  candidate[5].report.failure = "the ledger is broken";
  return compare::compare_runs(base, candidate,
                               gates({"consumer.lagMs.p99 > +5%", "consumer.cpuMicrosPerRecord > +50%"}));
}

TEST(CompareText, IsAsItAlwaysWas) {
  expect_golden("compare.txt", compare_text(telling(), kFolder, false));
}

TEST(CompareMd, IsAsItAlwaysWas) {
  expect_golden("compare.md", compare_md(telling()));
}

TEST(CompareText, WithOneRunASideShowsTheChangeAndSaysThatItCannotBeTold) {
  const Comparison comparison = compare::compare_runs(runs_with({10}), runs_with({20}, "candidate"),
                                                      gates({"consumer.lagMs.p99 > +5%"}));
  const std::string text = compare_text(comparison, kFolder, false);
  EXPECT_THAT(text, HasSubstr("+100 % ?"));
  EXPECT_THAT(text, HasSubstr("1 and 1 runs cannot tell a change from noise"));
  EXPECT_THAT(text, HasSubstr("4 runs a side could"));
  EXPECT_THAT(text, HasSubstr("too few runs to tell it from noise, so the change alone decides"));
  EXPECT_THAT(text, Not(HasSubstr("worse")));
}

TEST(CompareText, OfIdenticalRunsSaysSoOfEveryFigure) {
  const Runs runs = runs_with({10, 11, 12, 13});
  const Comparison comparison = compare::compare_runs(runs, runs, {});
  const std::string text = compare_text(comparison, kFolder, false);
  EXPECT_THAT(text, HasSubstr("differs   nothing"));
  EXPECT_THAT(text, HasSubstr(" ~ "));
  EXPECT_THAT(text, Not(HasSubstr("worse")));
  EXPECT_THAT(text, Not(HasSubstr("better")));
  EXPECT_THAT(text, Not(HasSubstr("WARNING")));
}

TEST(CompareText, WarnsLoudlyOfALoadThatDiffers) {
  Runs candidate = runs_with({10}, "candidate");
  candidate[0].config["producer.batchSize"] = "7";
  const Comparison comparison = compare::compare_runs(runs_with({10}), candidate, {});
  EXPECT_THAT(compare_text(comparison, kFolder, true),
              HasSubstr("\x1b[31mWARNING   \x1b[0mthe load differs"));
  EXPECT_THAT(compare_md(comparison), HasSubstr("**WARNING**: the load differs"));
}

TEST(CompareText, WarnsOfASideThatMixesSettings) {
  Runs candidate = runs_with({10, 10, 10}, "candidate");
  candidate[1].config["seed"] = "2";
  const auto warned = [&candidate] {
    return compare_text(compare::compare_runs(runs_with({10}), candidate, {}), kFolder, false);
  };
  EXPECT_THAT(warned(), Not(HasSubstr("WARNING")));
  candidate[2].config["consumer.flushBatchSize"] = "200";
  EXPECT_THAT(warned(),
              HasSubstr("WARNING   the runs of one side differ among themselves, and its medians mix "
                        "them: consumer.flushBatchSize: 50 -> 50, 200"));
}

TEST(CompareJson, HasEveryFigureWithItsSamplesAndWhatItSays) {
  const auto json = nlohmann::json::parse(compare_json(telling(), 1'769'860'800'123'000));
  EXPECT_EQ(json["schemaVersion"], 1);
  EXPECT_EQ(json["startedAt"], "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(json["outcome"], "thresholds-crossed");
  EXPECT_EQ(json["loadDiffers"], false);
  EXPECT_EQ(json["base"].size(), 6U);
  EXPECT_EQ(json["candidate"][5]["outcome"], "failed");
  EXPECT_EQ(json["differences"][0]["what"], "consumer.flushIntervalMs");
  EXPECT_EQ(json["differences"][0]["kind"], "setting");
  const auto& phase = json["phases"][0];
  EXPECT_EQ(phase["candidate"]["verdicts"]["marginal"], 6);
  const auto& lag = phase["figures"]["consumer.lagMs.p99"];
  EXPECT_EQ(lag["says"], "worse");
  EXPECT_EQ(lag["better"], "lower");
  EXPECT_EQ(lag["base"]["median"], 12.5);
  EXPECT_EQ(lag["base"]["low"], 10);
  EXPECT_EQ(lag["candidate"]["high"], 25);
  EXPECT_EQ(phase["figures"]["consumer.errors"]["change"], nullptr) << "from 0";
  EXPECT_EQ(json["gates"][0]["holds"], true);
  EXPECT_EQ(json["gates"][1]["holds"], false);
  EXPECT_EQ(json["gates"][1]["phases"][0]["phase"], "load");
}

}  // namespace
}  // namespace walstorm::report::test
