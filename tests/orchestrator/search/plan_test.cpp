#include "orchestrator/search/plan.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "orchestrator/search/search.h"
#include "tests/orchestrator/config/config_verbs.h"

namespace walstorm::search {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kTwoPhases = R"({
  "name": "stress",
  "phases": [{"name": "calm", "durationSec": 20, "targetThroughput": 500},
             {"name": "peak", "durationSec": 20, "targetThroughput": 5000}]})";

/// As the command line does it.
trial::Resolve resolve_of(const std::string& json) {
  return [json](const std::vector<config::Override>& overrides) {
    return config::load_given({.file = config::with_mock(json), .overrides = overrides});
  };
}

trial::Resolve with_thresholds(const std::string& thresholds, const std::string& more = "") {
  nlohmann::json json = nlohmann::json::parse(kTwoPhases);
  json["thresholds"] = nlohmann::json::parse(thresholds);
  if (!more.empty()) json.update(nlohmann::json::parse(more));
  return resolve_of(json.dump());
}

std::vector<std::string> thresholds_of(const config::Config& config) {
  std::vector<std::string> expressions;
  for (const config::Threshold& threshold : config.thresholds) expressions.push_back(threshold.expr);
  return expressions;
}

std::string refusal_of(const trial::Resolve& resolve, const Options& options) {
  try {
    const Plan plan(resolve, options);
  } catch (const wire::Error& error) {
    EXPECT_EQ(error.kind(), wire::ErrorKind::config);
    return error.what();
  }
  ADD_FAILURE() << "was taken";
  return "";
}

TEST(SearchPlan, JudgesATrialByTheThresholdsOfItsPhaseAlone) {
  const auto resolve = with_thresholds(R"(["producer.errorRate < 0.01",
      {"expr": "consumer.lagMs.p99 < 300", "phase": "calm"},
      {"expr": "consumer.lagMs.p99 < 900", "phase": "peak"},
      "consumer.lagMs.p50 < 5 * phase('calm').consumer.lagMs.p50"])");
  const Plan peak(resolve, {.question = {}, .phase = "peak", .resume = {}});
  EXPECT_THAT(thresholds_of(peak.trial(1000, 20, 1)),
              testing::ElementsAre("producer.errorRate < 0.01", "consumer.lagMs.p99 < 900"));
  EXPECT_EQ(left_out_text(peak.thresholds()),
            "left out, for they are about other phases: consumer.lagMs.p99 < 300; consumer.lagMs.p50 < 5 * "
            "phase('calm').consumer.lagMs.p50");
  const Plan calm(resolve, {});
  EXPECT_THAT(thresholds_of(calm.trial(1000, 20, 1)),
              testing::ElementsAre("producer.errorRate < 0.01", "consumer.lagMs.p99 < 300"));
}

TEST(SearchPlan, JudgesTheFirstLookByNothing) {
  const auto resolve = with_thresholds(R"([{"expr": "consumer.lagMs.p90 < 400", "windowSec": 5}])");
  const Plan plan(resolve, {});
  EXPECT_THAT(thresholds_of(plan.first_look()), IsEmpty());
  EXPECT_THAT(thresholds_of(plan.trial(1000, 20, 1)), testing::ElementsAre("consumer.lagMs.p90 < 400"));
  EXPECT_EQ(left_out_text(plan.thresholds()), "");
}

TEST(SearchPlan, SaysWhatToDoAboutAWindowThatIsLongerThanATrial) {
  const auto resolve = with_thresholds(R"([{"expr": "consumer.lagMs.p90 < 400", "windowSec": 15}])");
  Options options;
  options.question.trial_sec = 10;
  EXPECT_EQ(refusal_of(resolve, options),
            "the threshold \"consumer.lagMs.p90 < 400\" looks at 15 s, which is longer than a trial's load: "
            "use --trial-duration 15s or more");
}

TEST(SearchPlan, TakesTheExampleWithThresholds) {
  std::ifstream file(std::string(WALSTORM_CONFIGS) + "/thresholds.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto resolve = resolve_of(text.str());
  const Plan plan(resolve, {});
  EXPECT_EQ(plan.phase().name, "baseline");
  EXPECT_EQ(plan.trial(1000, 20, 1).thresholds.size(), 5U);
}

TEST(SearchPlan, NamesItsTrialsAlsoForALongName) {
  nlohmann::json json = nlohmann::json::parse(kTwoPhases);
  json["name"] = std::string(64, 'n');
  const auto resolve = resolve_of(json.dump());
  const Plan plan(resolve, {});
  EXPECT_EQ(plan.first_look().name, std::string(50, 'n') + "-unthrottled");
  EXPECT_EQ(plan.trial(1000, 20, 3).name, std::string(50, 'n') + "-03");
}

TEST(SearchPlan, RefusesAValueThatNoTrialCanHave) {
  EXPECT_THAT(
      refusal_of(
          resolve_of(kTwoPhases),
          {.question = {.key = "consumer.flushBatchSize", .min = 1, .max = 1e12}, .phase = {}, .resume = {}}),
      HasSubstr("consumer.flushBatchSize"));
}

TEST(SearchPlan, IsToldInWordsForADryRun) {
  const auto resolve = with_thresholds(R"(["producer.errorRate < 0.01",
      {"expr": "consumer.lagMs.p99 < 300", "phase": "calm"}])");
  Options options{.question = {.min = 200, .max = 9000, .trial_sec = 15}, .phase = "peak", .resume = {}};
  EXPECT_EQ(dry_run_text(resolve, options), R"(stress: dry run, nothing is started

  searches    the highest targetThroughput that is sustained and crosses no threshold
  values      from 200 to 9,000; the first trial lasts 5 s at 9,000/s
  precision   5 %
  phase       "peak"
  a trial     3 s of warm-up, 15 s of load (30 s where it was unclear or is confirmed), a drain of up to 5 s: about 23 s
  takes       30 min at most: then no trial is begun
  thresholds  producer.errorRate < 0.01
              left out, for they are about other phases: consumer.lagMs.p99 < 300
  results     ./profiling-results
)");
  options.question.key = "consumer.mockClickhouseDelay";
  EXPECT_THAT(dry_run_text(resolve, options),
              AllOf(HasSubstr("the highest consumer.mockClickhouseDelay that"),
                    HasSubstr("\"peak\", target 5,000/s\n"), Not(HasSubstr("the first trial"))));
}

}  // namespace
}  // namespace walstorm::search
