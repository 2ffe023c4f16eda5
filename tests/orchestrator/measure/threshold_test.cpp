#include "orchestrator/measure/judge/threshold.h"

#include <gtest/gtest.h>

#include "orchestrator/config/thresholds.h"

namespace walstorm::measure {
namespace {

config::Expression expression(const char* text) {
  config::Threshold threshold;
  threshold.expr = text;
  return config::expression_of(threshold);
}

PhaseReport phase(const char* name, std::optional<double> lag_p99_ms) {
  PhaseReport report;
  report.name = name;
  report.consumer.lag_ms.p99 = lag_p99_ms;
  return report;
}

Judgement judged(const char* text, const PhaseReport& report, const std::vector<PhaseReport>& earlier = {}) {
  return judge(expression(text), report, earlier);
}

TEST(Threshold, ShowsWhatWasObservedAndTheLimit) {
  const Judgement ok = judged("consumer.lagMs.p99 + 1 < 2 * 50", phase("p", 98));
  EXPECT_TRUE(ok.measured());
  EXPECT_TRUE(ok.passed);
  EXPECT_EQ(ok.observed, 99);
  EXPECT_EQ(ok.limit, 100);
  EXPECT_FALSE(judged("consumer.lagMs.p99 + 1 < 2 * 50", phase("p", 99)).passed);
}

TEST(Threshold, ComparesWithAnEarlierPhase) {
  const std::vector<PhaseReport> earlier{phase("warmup", 1), phase("baseline", 40)};
  const char* text = "consumer.lagMs.p99 < 2 * phase('baseline').consumer.lagMs.p99";
  EXPECT_TRUE(judged(text, phase("peak", 79), earlier).passed);
  const Judgement crossed = judged(text, phase("peak", 81), earlier);
  EXPECT_FALSE(crossed.passed);
  EXPECT_EQ(crossed.limit, 80);
}

TEST(Threshold, OnAFigureThatWasNeverMeasuredDoesNotPassAndNamesIt) {
  const Judgement missing = judged("consumer.lagMs.p99 < 1000", phase("p", std::nullopt));
  EXPECT_FALSE(missing.measured());
  EXPECT_FALSE(missing.passed);
  EXPECT_EQ(missing.observed, std::nullopt);
  EXPECT_EQ(missing.limit, 1000);
  EXPECT_EQ(missing.unmeasured, "consumer.lagMs.p99");
  EXPECT_EQ(judged("ledger.missing + ledger.missing < phase('a').consumer.lagMs.p99", phase("p", 1),
                   {phase("a", std::nullopt)})
                .unmeasured,
            "ledger.missing, phase('a').consumer.lagMs.p99");
  EXPECT_EQ(judged("consumer.lagMs.p99 / consumer.errors > 1", phase("p", 1)).unmeasured, "a division by 0");
}

TEST(Threshold, OnADivisionByZeroInsideItsExpressionIsNotMeasured) {
  const Judgement nested = judged("1 / (1 / producer.errors) < 1", phase("p", 1));
  EXPECT_FALSE(nested.measured());
  EXPECT_FALSE(nested.passed);
  EXPECT_EQ(nested.observed, std::nullopt);
  EXPECT_EQ(nested.unmeasured, "a division by 0");
  EXPECT_EQ(judged("consumer.lagMs.p99 * 1e300 * 1e300 > 1", phase("p", 99)).unmeasured,
            "a number too great to be had");
}

TEST(Threshold, KnowsWhichOfTwoIsWorseOnEitherSideOfItsLimit) {
  const auto worse = [](const char* text, double a, double b) {
    return is_worse(expression(text), judged(text, phase("p", a)), judged(text, phase("p", b)));
  };
  EXPECT_TRUE(worse("consumer.lagMs.p99 < 5", 9, 7));
  EXPECT_TRUE(worse("consumer.lagMs.p99 < 5", 4, 3));
  EXPECT_FALSE(worse("consumer.lagMs.p99 < 5", 3, 9));
  EXPECT_TRUE(worse("consumer.lagMs.p99 >= 5", 3, 4));
  EXPECT_TRUE(worse("consumer.lagMs.p99 == 5", 9, 4));
  EXPECT_TRUE(worse("consumer.lagMs.p99 != 5", 5, 4));
}

TEST(Threshold, HoldInARunWhenTheyDoInEveryPhase) {
  RunReport run;
  EXPECT_TRUE(thresholds_hold(run));
  run.phases = {phase("a", 1), phase("b", 1)};
  run.phases[0].thresholds = {{"x < 1", true}};
  EXPECT_TRUE(thresholds_hold(run));
  run.phases[1].thresholds = {{"x < 1", true}, {"y < 1", false}};
  EXPECT_FALSE(thresholds_hold(run));
}

}  // namespace
}  // namespace walstorm::measure
