// Runs with thresholds: what they judge, how they end a run, and what is left of it for a build server.

#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>

#include "tests/support/run_fixture.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

/// The cases of a JUnit file: "suite/case" and why it failed, empty where it did not.
std::map<std::string, std::string> junit_cases(const std::filesystem::path& path) {
  std::map<std::string, std::string> cases;
  if (!std::filesystem::exists(path)) {
    ADD_FAILURE() << "no " << path;
    return cases;
  }
  boost::property_tree::ptree tree;
  boost::property_tree::read_xml(path.string(), tree, boost::property_tree::xml_parser::trim_whitespace);
  for (const auto& [suite_key, suite] : tree.get_child("testsuites")) {
    if (suite_key != "testsuite") continue;
    int failures = 0;
    for (const auto& [key, each] : suite) {
      if (key != "testcase") continue;
      const auto failure = each.get<std::string>("failure.<xmlattr>.message", "");
      failures += failure.empty() ? 0 : 1;
      cases[suite.get<std::string>("<xmlattr>.name") + "/" + each.get<std::string>("<xmlattr>.name")] =
          failure;
    }
    EXPECT_EQ(suite.get<int>("<xmlattr>.failures"), failures);
  }
  return cases;
}

/// The sink takes nothing from `at_sec` of the run on, for `duration_sec`.
json stall(double at_sec, double duration_sec) {
  return {{"mock", {{"stalls", {{{"atSec", at_sec}, {"durationSec", duration_sec}}}}}}};
}

class Thresholds : public OnAServer {
 protected:
  [[nodiscard]] std::filesystem::path junit() const { return junit_folder_.path() / "junit.xml"; }
  [[nodiscard]] std::vector<std::string> junit_flag() const { return {"--junit", junit().string()}; }

 private:
  TemporaryFolder junit_folder_;
};

TEST_F(Thresholds, ThatHoldPassTheRunAndAreListedInJunit) {
  json warmup = phase("warmup", 1, 500);
  warmup["warmup"] = true;
  WalstormRun run(config({warmup, phase("load", 2, 500)},
                         {{"thresholds",
                           {"producer.errorRate < 0.01",
                            "ledger.missing + ledger.duplicated == 0",
                            "producer.records > 0.5 * phase('warmup').producer.records",
                            {{"expr", "producer.throughput > 1"}, {"windowSec", 1}, {"phase", "load"}}}}}),
                  junit_flag());
  EXPECT_EQ(run.finish().code, 0) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["run"]["outcome"], "passed");
  EXPECT_THAT(metrics["phases"][0]["thresholds"], SizeIs(0));
  const json& results = metrics["phases"][1]["thresholds"];
  ASSERT_THAT(results, SizeIs(4));
  for (const json& result : results) EXPECT_EQ(result["passed"], true) << result;
  EXPECT_EQ(results[1]["observed"], 0);
  EXPECT_EQ(results[2]["observed"], metrics["phases"][1]["producer"]["records"]);
  EXPECT_EQ(results[2]["limit"], 0.5 * metrics["phases"][0]["producer"]["records"].get<double>());
  EXPECT_EQ(results[3]["windowSec"], 1);
  const auto cases = junit_cases(junit());
  EXPECT_THAT(cases, SizeIs(6));
  for (const auto& [name, failure] : cases) EXPECT_EQ(failure, "") << name;
  EXPECT_TRUE(cases.contains("test/run passed"));
  EXPECT_TRUE(cases.contains("test.load/producer.throughput > 1 over 1 s"));
}

TEST_F(Thresholds, ThatAreCrossedEndInExit99WithWhatWasObserved) {
  WalstormRun run(config({phase("baseline", 3, 1000), phase("stalled", 8, 1000)},
                         {{"consumer", stall(6, 2)},
                          {"thresholds",
                           {"consumer.lagMs.p50 < 60000",
                            "consumer.lagMs.max < 0.5 * phase('baseline').consumer.lagMs.max",
                            {{"expr", "consumer.lagMs.p90 < 1000"}, {"windowSec", 3}},
                            "consumer.parts.created < 1000"}}}),
                  junit_flag());
  EXPECT_EQ(run.finish().code, 99) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["run"]["outcome"], "thresholds-crossed");
  EXPECT_EQ(metrics["run"]["exitCode"], 99);
  EXPECT_EQ(metrics["phases"][1]["outcome"], "thresholds-crossed");
  expect_clean_changes(metrics["ledger"]["changes"]);
  // The comparison with the baseline has nothing to judge in the baseline itself.
  EXPECT_THAT(metrics["phases"][0]["thresholds"], SizeIs(3));
  const json& results = metrics["phases"][1]["thresholds"];
  ASSERT_THAT(results, SizeIs(4));
  EXPECT_EQ(results[0]["passed"], true);
  EXPECT_EQ(results[0]["observed"], metrics["phases"][1]["consumer"]["lagMs"]["p50"]);
  EXPECT_EQ(results[1]["passed"], false);
  EXPECT_EQ(results[1]["observed"], metrics["phases"][1]["consumer"]["lagMs"]["max"]);
  // Nothing lands for 2 s: in some 3 s two thirds of the records wait, a third of them for more than a
  // second.
  EXPECT_EQ(results[2]["passed"], false);
  EXPECT_GT(results[2]["observed"], 1000);
  EXPECT_THAT(results[2]["says"].get<std::string>(), HasSubstr("worst in the 3 s that ended"));
  // There are no parts with the mock: nothing was measured, and that does not pass.
  EXPECT_EQ(results[3]["passed"], false);
  EXPECT_TRUE(results[3]["observed"].is_null());
  EXPECT_EQ(results[3]["says"], "never measured: consumer.parts.created");
  EXPECT_THAT(
      run.output(),
      AllOf(HasSubstr("\ncrossed stalled: consumer.lagMs.p90 < 1000 over 3 s (observed "),
            HasSubstr("no data stalled: consumer.parts.created"), HasSubstr("outcome   thresholds-crossed")));
  const auto cases = junit_cases(junit());
  EXPECT_EQ(cases.at("test/run passed"), "thresholds-crossed");
  EXPECT_EQ(cases.at("test/ledger is clean"), "");
  EXPECT_THAT(cases.at("test.stalled/consumer.lagMs.p90 < 1000 over 3 s"), HasSubstr("limit 1.0 s"));
  EXPECT_EQ(cases.at("test.stalled/consumer.lagMs.p50 < 60000"), "");
}

TEST_F(Thresholds, WithAbortOnFailEndALongPhaseAndLeaveNothingBehind) {
  WalstormRun run(config({phase("first", 60, 1000), phase("second", 60, 1000)},
                         {{"consumer", stall(2, 7)},
                          {"thresholds",
                           {{{"expr", "consumer.lagMs.p99 < 1000"}, {"windowSec", 2}, {"abortOnFail", true}},
                            "drain.durationSec < 1000"}}}),
                  junit_flag());
  EXPECT_EQ(run.finish(std::chrono::seconds(50)).code, 99) << run.output();
  const json metrics = run.metrics();
  ASSERT_THAT(metrics["phases"], SizeIs(1));
  const json& first = metrics["phases"][0];
  EXPECT_LT(first["durationSec"], 20);
  EXPECT_GT(first["durationSec"], 2);
  EXPECT_EQ(first["outcome"], "thresholds-crossed");
  EXPECT_EQ(first["drain"]["completed"], true);
  // What was due until then, not what would have been in a minute.
  EXPECT_GT(first["producer"]["targetRatio"], 0.5);
  expect_clean_changes(metrics["ledger"]["changes"]);
  EXPECT_EQ(metrics["ledger"]["rows"]["checksumMatches"], true);
  EXPECT_EQ(metrics["ledger"]["content"]["postgresMatches"], metrics["ledger"]["content"]["sampled"]);
  EXPECT_GT(first["thresholds"][0]["observed"], 1000);
  EXPECT_THAT(first["thresholds"][0]["says"].get<std::string>(), HasSubstr("; ended the run"));
  EXPECT_EQ(first["thresholds"][1]["passed"], true);
  EXPECT_THAT(run.output(),
              AllOf(HasSubstr("threshold crossed: consumer.lagMs.p99 < 1000 over 2 s"),
                    HasSubstr("a threshold ended the run here: the phase after this did not run"),
                    Not(HasSubstr("phase second"))));
  EXPECT_EQ(junit_cases(junit()).count("test.second/drain.durationSec < 1000"), 0U);
  expect_no_slot();
  expect_nothing_left(run);
}

TEST_F(Thresholds, WithAbortOnFailAndNoWindowLookAtThePhaseSoFar) {
  WalstormRun run(
      config({phase("first", 60, 500)},
             {{"thresholds",
               {{{"expr", "producer.records < 1500"}, {"abortOnFail", true}, {"delayAbortSec", 5}}}}}));
  EXPECT_EQ(run.finish(std::chrono::seconds(50)).code, 99) << run.output();
  const json first = run.metrics()["phases"][0];
  EXPECT_GE(first["durationSec"], 5);  // 1500 records are there at 3 s, and the delay is longer
  EXPECT_LT(first["durationSec"], 20);
  EXPECT_GE(first["thresholds"][0]["observed"], 1500);
  EXPECT_EQ(first["thresholds"][0]["limit"], 1500);
}

TEST_F(Thresholds, AreJudgedOnWhatThereIsWhenTheRunIsInterrupted) {
  WalstormRun run(
      config({phase("first", 60, 500)}, {{"thresholds",
                                          {"producer.records < 1",
                                           "producer.errors == 0",
                                           {{"expr", "producer.errors == 0"}, {"windowSec", 50}}}}}),
      junit_flag());
  run.wait_for_output("phase first");
  run.wait_until(
      [&] { return run.run_folder() && run.read("timeseries.csv").find(",first,") != std::string::npos; });
  run.send_signal(SIGINT);
  EXPECT_EQ(run.finish().code, 130) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["run"]["outcome"], "interrupted");
  EXPECT_EQ(metrics["phases"][0]["outcome"], "interrupted");
  const json& results = metrics["phases"][0]["thresholds"];
  EXPECT_EQ(results[0]["passed"], false);
  EXPECT_EQ(results[1]["passed"], true);
  EXPECT_EQ(results[2]["passed"], false);
  EXPECT_EQ(results[2]["says"], "never measured: no 50 s of load passed");
  EXPECT_EQ(junit_cases(junit()).at("test/run passed"), "interrupted");
}

TEST_F(Thresholds, DoNotHideThatTheRunFailed) {
  WalstormRun run(config({phase("first", 60, 500)}, {{"thresholds", {"producer.records < 0"}}}),
                  junit_flag());
  run.wait_for_output("phase first");
  std::vector<pid_t> consumers;
  run.wait_until([&] { return !(consumers = run.descendants("walstorm-consumer")).empty(); });
  for (const pid_t pid : consumers) ::kill(pid, SIGKILL);
  EXPECT_EQ(run.finish().code, 1) << run.output();
  const json metrics = run.metrics();
  EXPECT_EQ(metrics["run"]["outcome"], "failed");
  ASSERT_THAT(metrics["phases"][0]["thresholds"], SizeIs(1));
  EXPECT_THAT(junit_cases(junit()).at("test/run passed"), HasSubstr("failed: consumer-0"));
}

TEST_F(Thresholds, HaveAJunitFileThatCanBeWrittenOrNothingIsStarted) {
  WalstormRun run(config({phase("first", 60, 500)}), {"--junit", "/nowhere/at/all/junit.xml"});
  EXPECT_EQ(run.finish().code, 2);
  EXPECT_THAT(run.output(), HasSubstr("--junit /nowhere/at/all/junit.xml: cannot be written"));
  EXPECT_EQ(run.run_folder(), std::nullopt);
}

TEST_F(Thresholds, OnAFigureThatDoesNotExistAreABadConfig) {
  WalstormRun run(config({phase("first", 60, 500)}, {{"thresholds", {"consumer.lagMs.p9 < 1"}}}));
  EXPECT_EQ(run.finish().code, 2);
  EXPECT_THAT(run.output(), HasSubstr("unknown figure consumer.lagMs.p9; did you mean consumer.lagMs.p9"));
}

}  // namespace
}  // namespace walstorm::tests
