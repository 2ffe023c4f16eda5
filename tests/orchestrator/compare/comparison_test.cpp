#include "orchestrator/compare/comparison.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/orchestrator/compare/example_runs.h"

namespace walstorm::compare::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr const char* kLag = "consumer.lagMs.p99";

/// Fails the test where the phase has no such figure.
FigureChange figure(const Comparison& comparison, const std::string& path) {
  for (const FigureChange& each : comparison.phases.at(0).figures) {
    if (each.path == path) return each;
  }
  ADD_FAILURE() << "no " << path;
  return {};
}

TEST(FigureChange, BeyondNoiseIsWorseOrBetterByTheFiguresDirection) {
  const std::vector<double> low{10, 11, 12, 13};
  const std::vector<double> high{20, 21, 22, 23};
  EXPECT_EQ(change_of("lag", measure::Better::lower, low, high).said, Said::worse);
  EXPECT_EQ(change_of("lag", measure::Better::lower, high, low).said, Said::better);
  EXPECT_EQ(change_of("rate", measure::Better::higher, low, high).said, Said::better);
  EXPECT_EQ(change_of("rate", measure::Better::higher, high, low).said, Said::worse);
  EXPECT_EQ(change_of("records", measure::Better::neither, low, high).said, Said::changed);
}

TEST(FigureChange, IsAShareOfTheBasesMedian) {
  const FigureChange change = change_of("lag", measure::Better::lower, {10, 11, 12, 13}, {20, 22, 24, 26});
  EXPECT_DOUBLE_EQ(change.base->median, 11.5);
  EXPECT_DOUBLE_EQ(change.candidate->median, 23);
  EXPECT_DOUBLE_EQ(*change.change, 1.0);
  // Two of the C(8, 4) = 70 orders are as far apart.
  EXPECT_NEAR(*change.p, 2.0 / 70, 1e-12);
}

TEST(FigureChange, WithinNoiseIsTheSameHoweverTheMediansLie) {
  const FigureChange change = change_of("lag", measure::Better::lower, {10, 20, 30, 40}, {12, 22, 32, 52});
  EXPECT_EQ(change.said, Said::same);
  EXPECT_GT(*change.change, 0);
}

TEST(FigureChange, OfTiesAloneIsTheSame) {
  const FigureChange change = change_of("errors", measure::Better::lower, {0, 0, 0, 0}, {0, 0, 0, 0});
  EXPECT_EQ(change.said, Said::same);
  EXPECT_EQ(change.p, 1);
  EXPECT_EQ(change.change, 0);
  EXPECT_TRUE(change.all_equal);
}

TEST(FigureChange, OfOneRunASideIsShownButNotTold) {
  const FigureChange change = change_of("lag", measure::Better::lower, {10}, {1000});
  EXPECT_EQ(change.said, Said::untold);
  EXPECT_DOUBLE_EQ(*change.change, 99);
}

TEST(FigureChange, FourRunsASideCanTellAndThreeCannot) {
  EXPECT_EQ(runs_needed(), 4U);
  EXPECT_EQ(change_of("lag", measure::Better::lower, {1, 2, 3}, {7, 8, 9}).said, Said::untold);
}

TEST(FigureChange, FromZeroHasNoFiniteShare) {
  const FigureChange change = change_of("errors", measure::Better::lower, {0, 0, 0, 0}, {1, 2, 3, 4});
  EXPECT_TRUE(std::isinf(*change.change));
  EXPECT_EQ(change.said, Said::worse);
}

TEST(FigureChange, IsNoneWhereASideWasNeverMeasured) {
  const FigureChange change = change_of("lag", measure::Better::lower, {}, {1, 2});
  EXPECT_FALSE(change.base);
  EXPECT_FALSE(change.change);
  EXPECT_FALSE(change.p);
  EXPECT_EQ(change.said, Said::untold);
  EXPECT_FALSE(change.all_equal);
}

TEST(Comparison, TellsTheFiguresThatChangedFromThoseThatDidNot) {
  const Comparison comparison =
      compare_runs(runs_with({10, 11, 12, 13}), runs_with({20, 21, 22, 23}, "candidate"), {});
  ASSERT_THAT(comparison.phases, SizeIs(1)) << "the warm-up is not judged";
  EXPECT_EQ(comparison.phases[0].name, "load");
  EXPECT_EQ(figure(comparison, kLag).said, Said::worse);
  EXPECT_EQ(figure(comparison, "consumer.throughput").said, Said::same);
  EXPECT_EQ(figure(comparison, "processes.consumer-0.rssMaxBytes").said, Said::same);
  EXPECT_THAT(comparison.phases[0].base_verdicts, ElementsAre(Pair(measure::VerdictState::sustained, 4U)));
  EXPECT_TRUE(comparison.can_tell());
}

TEST(Comparison, LeavesOutWhatNobodyMeasuredAndWhatHasNoBetterDirection) {
  const Comparison comparison = compare_runs(runs_with({10}), runs_with({20}, "candidate"), {});
  for (const FigureChange& each : comparison.phases[0].figures) {
    EXPECT_NE(each.path, "producer.records");
    EXPECT_NE(each.path, "consumer.flushMs.p99");
  }
}

TEST(Comparison, CountsAsTestedOnlyWhatCouldHaveComeOutDifferent) {
  EXPECT_EQ(compare_runs(runs_with({10, 11, 12, 13}), runs_with({20, 21, 22, 23}, "candidate"), {}).tested,
            3U)
      << "three percentiles of the lag; all else is the same in every run";
  EXPECT_EQ(compare_runs(runs_with({10}), runs_with({20}, "candidate"), {}).tested, 0U);
}

TEST(Comparison, LeavesOutPhasesThatBrokeOffAndSaysSo) {
  Runs base = runs_with({10, 10, 10, 10});
  base[3].report.outcome = measure::Outcome::failed;
  base[3].report.failure = "consumer-0 ended: signal 9";
  load_of(base[3]).outcome = measure::Outcome::failed;
  load_of(base[3]).verdict.state = measure::VerdictState::failed;
  const Comparison comparison = compare_runs(base, runs_with({10}, "candidate"), {});
  EXPECT_EQ(comparison.phases[0].base_runs, 3U);
  EXPECT_EQ(figure(comparison, kLag).base->count, 3U);
  EXPECT_THAT(comparison.base[3].warnings,
              ElementsAre("failed: consumer-0 ended: signal 9", HasSubstr("phase \"load\" broke off")));
  EXPECT_THAT(comparison.base[0].warnings, IsEmpty());
  EXPECT_THAT(comparison.phases[0].base_verdicts, Contains(Pair(measure::VerdictState::failed, 1U)));
}

TEST(Comparison, SaysThatALedgerIsBroken) {
  Runs candidate = runs_with({10}, "candidate");
  candidate[0].report.changes.broken_at = "sink";
  const Comparison comparison = compare_runs(runs_with({10}), candidate, {});
  EXPECT_FALSE(comparison.candidate[0].ledger_is_clean);
  EXPECT_THAT(comparison.candidate[0].warnings, ElementsAre(HasSubstr("its ledger is broken")));
}

TEST(Comparison, ShowsAPhaseThatOnlyOneSideHas) {
  Runs candidate = runs_with({10}, "candidate");
  load_of(candidate[0]).name = "other";
  const Comparison comparison = compare_runs(runs_with({10}), candidate, {});
  ASSERT_THAT(comparison.phases, SizeIs(2));
  EXPECT_FALSE(figure(comparison, kLag).candidate);
  EXPECT_THAT(comparison.phases[1].base_verdicts, IsEmpty());
}

TEST(Comparison, KnowsTheFiguresOfTheProcessesThatWereThere) {
  const auto known = known_figures(runs_with({10}), runs_with({20}));
  EXPECT_THAT(known, Contains("processes.consumer-0.cpuMicrosPerRecord"));
  EXPECT_THAT(known, Contains(kLag));
  EXPECT_THAT(known, Not(Contains("processes.clickhouse.cpuMicrosPerRecord")));
}

std::vector<Gate> gates(const std::string& text) {
  return {parse_gate(text, known_figures(runs_with({10}), runs_with({10})))};
}

bool holds(const Runs& base, const Runs& candidate, const std::string& gate) {
  const Comparison comparison = compare_runs(base, candidate, gates(gate));
  EXPECT_EQ(comparison.crossed(), comparison.gates.at(0).holds);
  return comparison.crossed();
}

TEST(GateJudged, HoldsWhenTheChangeCrossesTheLimitBeyondNoise) {
  const Runs base = runs_with({10, 11, 12, 13});
  const Runs worse = runs_with({20, 21, 22, 23}, "candidate");
  EXPECT_TRUE(holds(base, worse, "consumer.lagMs.p99 > +5%"));
  EXPECT_FALSE(holds(base, worse, "consumer.lagMs.p99 > +200%"));
  EXPECT_TRUE(holds(worse, base, "consumer.lagMs.p99 < -3%"));
  EXPECT_FALSE(holds(base, worse, "consumer.lagMs.p99 < -3%"));
  EXPECT_FALSE(holds(base, worse, "consumer.throughput < -3%"));
}

TEST(GateJudged, DoesNotHoldWithinNoise) {
  EXPECT_FALSE(holds(runs_with({10, 20, 30, 40}), runs_with({12, 22, 42, 52}, "candidate"),
                     "consumer.lagMs.p99 > +5%"));
}

TEST(GateJudged, ByTheChangeAloneWhereTooFewRunsCanTell) {
  EXPECT_TRUE(holds(runs_with({10}), runs_with({20}, "candidate"), "consumer.lagMs.p99 > +5%"));
  EXPECT_FALSE(holds(runs_with({10}), runs_with({10.2}, "candidate"), "consumer.lagMs.p99 > +5%"));
}

TEST(GateJudged, DoesNotPassWhatWasNeverMeasured) {
  const Runs base = runs_with({10});
  Runs candidate = runs_with({10}, "candidate");
  EXPECT_TRUE(holds(base, candidate, "consumer.flushMs.p99 > +5%")) << "on no side";
  load_of(candidate[0]).consumer.lag_ms.p99.reset();
  EXPECT_TRUE(holds(base, candidate, "consumer.lagMs.p99 > +5%")) << "on one side";
}

TEST(GateJudged, HoldsWhenItDoesInAnyPhase) {
  Runs base = runs_with({10});
  Runs candidate = runs_with({10}, "candidate");
  for (Runs* side : {&base, &candidate}) {
    (*side)[0].report.phases.push_back(load_of((*side)[0]));
    (*side)[0].report.phases.back().name = "peak";
  }
  EXPECT_FALSE(holds(base, candidate, "consumer.lagMs.p99 > +5%"));
  candidate[0].report.phases.back().consumer.lag_ms.p99 = 20;
  const Comparison comparison = compare_runs(base, candidate, gates("consumer.lagMs.p99 > +5%"));
  ASSERT_THAT(comparison.gates[0].phases, SizeIs(2));
  EXPECT_FALSE(comparison.gates[0].phases[0].holds);
  EXPECT_TRUE(comparison.gates[0].phases[1].holds);
  EXPECT_TRUE(comparison.crossed());
}

}  // namespace
}  // namespace walstorm::compare::test
