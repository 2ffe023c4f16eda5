#include "orchestrator/config/thresholds.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_verbs.h"
#include "orchestrator/config/phase_plan.h"

namespace walstorm::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPhases =
    R"("phases": [{"name": "warmup", "durationSec": 5, "warmup": true}, {"name": "baseline", "durationSec": 20},
                  {"name": "peak", "durationSec": 30}])";

std::string with_thresholds(const std::string& thresholds, const std::string& more = "") {
  return fmt::format("{{{}, \"thresholds\": [{}]{}}}", kPhases, thresholds, more);
}

void rejects_threshold(const std::string& threshold, const std::string& line) {
  rejects(with_thresholds(threshold), {"config.json: /thresholds/0" + line});
}

std::vector<std::string> judged_by(const std::string& threshold) {
  const Config config = load_given({.file = with_mock(with_thresholds(threshold))});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < config.phases.size(); ++i) {
    const Threshold& only = config.thresholds.at(0);
    if (judges(only, expression_of(only), config.phases, i)) names.push_back(config.phases[i].name);
  }
  return names;
}

TEST(Thresholds, AreTakenAsTextOrWithTheirKeys) {
  const Config config = load_given({.file = with_mock(with_thresholds(R"("producer.errorRate < 0.01",
      {"expr": "consumer.lagMs.p99 < 1000", "phase": "peak", "windowSec": 30, "abortOnFail": true, "delayAbortSec": 2.5})"))});
  ASSERT_EQ(config.thresholds.size(), 2U);
  EXPECT_EQ(config.thresholds[0].expr, "producer.errorRate < 0.01");
  EXPECT_EQ(config.thresholds[0].phase, std::nullopt);
  EXPECT_EQ(config.thresholds[0].window_sec, std::nullopt);
  EXPECT_FALSE(config.thresholds[0].abort_on_fail);
  EXPECT_EQ(config.thresholds[1].phase, "peak");
  EXPECT_EQ(config.thresholds[1].window_sec, 30U);
  EXPECT_TRUE(config.thresholds[1].abort_on_fail);
  EXPECT_EQ(config.thresholds[1].delay_abort_sec, 2.5);
}

TEST(Thresholds, JudgeEveryPhaseButWarmupsUnlessTheyNameOne) {
  EXPECT_THAT(judged_by(R"("consumer.lagMs.p99 < 1")"), ElementsAre("baseline", "peak"));
  EXPECT_THAT(judged_by(R"({"expr": "consumer.lagMs.p99 < 1", "phase": "baseline"})"),
              ElementsAre("baseline"));
  EXPECT_THAT(judged_by(R"("consumer.lagMs.p99 < phase('warmup').consumer.lagMs.p99")"),
              ElementsAre("baseline", "peak"));
  EXPECT_THAT(judged_by(R"("consumer.lagMs.p99 < 2 * phase('baseline').consumer.lagMs.p99")"),
              ElementsAre("peak"));
}

TEST(Thresholds, ThatDoNotParseAreToldWithTheColumn) {
  rejects_threshold(R"("consumer.lagMs.p99 = 5")",
                    ": \"consumer.lagMs.p99 = 5\": column 20: a lone =; write == for \"is equal to\"");
  rejects_threshold(R"({"expr": "1 < 2"})",
                    "/expr: \"1 < 2\": column 1: names no figure, such as consumer.lagMs.p99");
}

TEST(Thresholds, OnFiguresThatDoNotExistSayWhichMayBeMeant) {
  rejects_threshold(
      R"("consumer.lagMS.p9 < 1")",
      ": \"consumer.lagMS.p9 < 1\": unknown figure consumer.lagMS.p9; did you mean consumer.lagMs.p90?");
  rejects_threshold(R"("xyzzy < 1")", ": \"xyzzy < 1\": unknown figure xyzzy");
  rejects_threshold(R"("consumer.parts < 1")",
                    ": \"consumer.parts < 1\": consumer.parts is several figures: write one of .created, "
                    ".activeMax, .activeEnd");
  rejects_threshold(
      R"("producer.eror < 1 + producer.eror + ledger.mising")",
      ": \"producer.eror < 1 + producer.eror + ledger.mising\": unknown figure producer.eror; did you mean "
      "producer.errors?; unknown figure ledger.mising; did you mean ledger.missing?");
}

TEST(Thresholds, OnProcessesKnowTheRolesThatTheConfigStarts) {
  rejects_threshold(
      R"("processes.producer-1.rssMaxBytes < 1")",
      ": \"processes.producer-1.rssMaxBytes < 1\": this config has no process producer-1; did you "
      "mean producer-0?");
  rejects_threshold(
      R"("processes.consumer-0.rss < 1")",
      ": \"processes.consumer-0.rss < 1\": unknown figure processes.consumer-0.rss; did you mean "
      "processes.consumer-0.rssMaxBytes?");
  rejects_threshold(
      R"("processes.consumer-0.rssMaxByte < 1")",
      ": \"processes.consumer-0.rssMaxByte < 1\": unknown figure processes.consumer-0.rssMaxByte; "
      "did you mean processes.consumer-0.rssMaxBytes?");
  gives(with_thresholds(R"("processes.producer-1.rssMaxBytes < 1")", R"(, "producer": {"workerCount": 2})"),
        "/thresholds/0", "processes.producer-1.rssMaxBytes < 1");
  const std::string clickhouse = R"("processes.clickhouse.cpuUserSec < 1")";
  rejects_threshold(clickhouse, ": " + clickhouse + ": this config has no process clickhouse");
  EXPECT_EQ(refusal_of({.file = with_thresholds(clickhouse, R"(, "clickhouse": {"url": "private"})")}),
            std::nullopt);
}

TEST(Thresholds, OnPhasesThatDoNotExistOrComeTooLateAreRefused) {
  rejects_threshold(R"({"expr": "durationSec > 1", "phase": "peek"})",
                    "/phase: \"peek\": there is no such phase; did you mean peak?");
  rejects_threshold(R"({"expr": "durationSec > 1", "phase": "warmup"})",
                    "/phase: \"warmup\": is a warm-up, and warm-ups are never judged; others may be compared "
                    "with it");
  rejects_threshold(R"("durationSec > phase('base').durationSec")",
                    ": \"durationSec > phase('base').durationSec\": there is no phase \"base\"; did you "
                    "mean baseline?");
  rejects_threshold(R"("durationSec > phase('peak').durationSec")",
                    ": \"durationSec > phase('peak').durationSec\": there is no phase to judge: none but "
                    "warm-ups, or none after those it refers to");
  rejects_threshold(R"({"expr": "durationSec > phase('peak').durationSec", "phase": "baseline"})",
                    "/expr: \"durationSec > phase('peak').durationSec\": a phase that it refers to must come "
                    "before the one it judges, \"baseline\"");
  rejects_threshold(R"({"expr": "durationSec > phase('peak').durationSec", "phase": "peak"})",
                    "/expr: \"durationSec > phase('peak').durationSec\": a phase that it refers to must come "
                    "before the one it judges, \"peak\"");
}

TEST(Thresholds, CannotAskBeforeThePhaseEndsForWhatIsKnownThen) {
  rejects_threshold(
      R"({"expr": "ledger.missing == 0", "windowSec": 5})",
      "/windowSec: 5: ledger.missing is known of a whole phase only, not of a window: leave this "
      "out");
  rejects_threshold(
      R"({"expr": "drain.durationSec < 5", "abortOnFail": true})",
      "/abortOnFail: true: drain.durationSec is known only when the phase has ended: leave this "
      "out");
  rejects_threshold(
      R"({"expr": "consumer.bufferedBytesMax < 5", "windowSec": 5, "abortOnFail": true})",
      "/windowSec: 5: consumer.bufferedBytesMax is known of a whole phase only, not of a window: "
      "leave this out");
  gives(with_thresholds(R"({"expr": "consumer.bufferedBytesMax < 5", "abortOnFail": true})"),
        "/thresholds/0/abortOnFail", true);
  gives(
      with_thresholds(
          R"({"expr": "consumer.lagMs.p99 < 9 * phase('baseline').drain.durationSec", "abortOnFail": true, "windowSec": 5})"),
      "/thresholds/0/windowSec", 5);
}

TEST(Thresholds, HaveWindowsThatFitThePhasesTheyJudge) {
  rejects_threshold(R"({"expr": "consumer.lagMs.p99 < 1", "windowSec": 25})",
                    "/windowSec: 25: is longer than phase \"baseline\", which it would judge: 20 s");
  gives(with_thresholds(R"({"expr": "consumer.lagMs.p99 < 1", "windowSec": 25, "phase": "peak"})"),
        "/thresholds/0/windowSec", 25);
  rejects_threshold(R"({"expr": "consumer.lagMs.p99 < 1", "windowSec": 0})",
                    "/windowSec: 0: must be at least 1");
  rejects_threshold(R"({"expr": "consumer.lagMs.p99 < 1", "windowSec": 3601})",
                    "/windowSec: 3601: must be at most 3600");
  rejects_threshold(R"({"expr": "consumer.lagMs.p99 < 1", "windowSec": 1.5})",
                    "/windowSec: 1.5: must be a whole number");
}

TEST(Thresholds, DelayNothingThatCannotHappen) {
  rejects_threshold(
      R"({"expr": "consumer.lagMs.p99 < 1", "delayAbortSec": 5})",
      "/delayAbortSec: 5: says when abortOnFail may end the run: set that to true, or leave this "
      "out");
}

TEST(Thresholds, AreAllToldAtOnceWithTheRestOfTheConfig) {
  rejects(
      with_thresholds(R"("a < 1", "consumer.lagMs.p99 <", {"expr": "durationSec > 1", "phase": "x"})",
                      R"(, "producer": {"batchSize": 0})"),
      {"config.json: /producer/batchSize: 0: must be at least 1",
       "config.json: /thresholds/0: \"a < 1\": unknown figure a",
       "config.json: /thresholds/1: \"consumer.lagMs.p99 <\": column 21: a number or a figure belongs here, "
       "not the end",
       "config.json: /thresholds/2/phase: \"x\": there is no such phase"});
}

TEST(Thresholds, AreCheckedAsFarAsPhasesThatAreWrongThemselvesAllow) {
  rejects(R"({"phases": [{"name": "a", "durationSec": 0}],
              "thresholds": [{"expr": "consumer.lag < 1", "phase": "b", "windowSec": 5}]})",
          {"config.json: /phases/0/durationSec: 0: must be at least 1",
           "config.json: /thresholds/0/expr: \"consumer.lag < 1\": unknown figure consumer.lag; did you mean "
           "consumer.lagMs.min?"});
}

TEST(Thresholds, ComeFromTheCommandLineToo) {
  const Config config = load_given({.file = with_mock(with_thresholds("")),
                                    .overrides = {set("thresholds", R"(["consumer.errors == 0"])")}});
  ASSERT_EQ(config.thresholds.size(), 1U);
  EXPECT_EQ(config.thresholds[0].expr, "consumer.errors == 0");
}

TEST(Thresholds, AreShownByADryRunWithThePhasesThatTheyJudge) {
  const Config config = load_given(
      {.file = with_mock(with_thresholds(
           R"({"expr": "consumer.lagMs.p99 < 1", "windowSec": 5, "abortOnFail": true, "delayAbortSec": 10})"))});
  EXPECT_THAT(dry_run_text(config),
              HasSubstr("  thresholds\n    consumer.lagMs.p99 < 1\n        in baseline, peak; any 5 s of it; "
                        "ends the run when it is crossed after 10 s\n"));
}

}  // namespace
}  // namespace walstorm::config
