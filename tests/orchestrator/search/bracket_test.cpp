#include "orchestrator/search/bracket.h"

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace walstorm::search {
namespace {

using ::testing::Le;
using ::testing::Optional;

constexpr std::size_t kTrialsMax = 60;

struct Searched {
  Bracket bracket;
  std::vector<Bracket::Step> steps;
};

Searched search(Bracket::Limits limits, double hint,
                const std::function<Judged(const Bracket::Step&)>& judge) {
  Searched searched{Bracket(limits, hint), {}};
  while (const auto step = searched.bracket.next()) {
    searched.steps.push_back(*step);
    searched.bracket.take(*step, judge(*step));
    if (searched.steps.size() > kTrialsMax) break;
  }
  return searched;
}

Judged below(double edge, double value) {
  return value <= edge ? Judged::passes : Judged::fails;
}

TEST(Bracket, HoldsTheEdgeWhereverTheHintWas) {
  for (const double edge : {130.0, 3000.0, 49'999.0, 1e6}) {
    for (const double share : {0.05, 0.8, 1.0, 1.3, 20.0}) {
      const auto found =
          search({}, edge * share, [edge](const auto& step) { return below(edge, step.value); });
      EXPECT_EQ(found.bracket.stop_reason(), StopReason::converged);
      EXPECT_LE(*found.bracket.last_passing(), edge);
      EXPECT_GT(*found.bracket.first_failing(), edge);
      EXPECT_THAT(found.bracket.width(), Optional(Le(0.05)));
      EXPECT_LE(found.steps.size(), 16U) << edge << " " << share;
    }
  }
}

TEST(Bracket, EndsWithAConfirmationOfTheHighestPassingValue) {
  const auto found = search({}, 900, [](const auto& step) { return below(1000, step.value); });
  EXPECT_EQ(found.steps.back().purpose, Purpose::confirm);
  EXPECT_EQ(found.steps.back().value, *found.bracket.last_passing());
  EXPECT_TRUE(found.bracket.confirmed());
}

TEST(Bracket, TriesTheFailingSideOfTheEdgeTwice) {
  const auto found = search({}, 900, [](const auto& step) { return below(1000, step.value); });
  const double failing = *found.bracket.first_failing();
  EXPECT_EQ(std::count_if(found.steps.begin(), found.steps.end(),
                          [failing](const auto& step) { return step.value == failing; }),
            2);
}

TEST(Bracket, StopsWhereTheGreatestValueAllowedPasses) {
  const auto found = search({.max = 5000}, 100, [](const auto&) { return Judged::passes; });
  EXPECT_EQ(found.bracket.stop_reason(), StopReason::max_passes);
  EXPECT_THAT(found.bracket.last_passing(), Optional(5000));
  EXPECT_EQ(found.bracket.first_failing(), std::nullopt);
}

TEST(Bracket, StopsWhereTheLeastValueAllowedFails) {
  const auto found = search({.min = 100}, 3000, [](const auto&) { return Judged::fails; });
  EXPECT_EQ(found.bracket.stop_reason(), StopReason::min_fails);
  EXPECT_EQ(found.bracket.last_passing(), std::nullopt);
  EXPECT_THAT(found.bracket.first_failing(), Optional(100));
}

TEST(Bracket, TriesAnUnclearValueUpToThreeTimesAndThenDoesNotCallItPassed) {
  const auto found = search({.min = 100}, 100, [](const auto&) { return Judged::unclear; });
  EXPECT_EQ(found.steps.size(), 3U);
  EXPECT_EQ(found.bracket.last_passing(), std::nullopt);
}

TEST(Bracket, GoesByTheMajorityNearTheEdge) {
  // The failing side fails once by chance, and passes when it is tried again.
  int trials_of_edge = 0;
  const auto found = search({}, 1000, [&](const auto& step) {
    if (step.value < 1200) return Judged::passes;
    if (step.value < 1300) return ++trials_of_edge == 1 ? Judged::fails : Judged::passes;
    return Judged::fails;
  });
  EXPECT_EQ(found.bracket.stop_reason(), StopReason::converged);
  EXPECT_GE(*found.bracket.last_passing(), 1200);
}

TEST(Bracket, MovesDownWhenTheConfirmationFails) {
  // Passes in short trials up to 1,000, in long ones up to 900.
  const auto found = search({}, 1000, [](const auto& step) {
    return below(step.purpose == Purpose::confirm ? 900 : 1000, step.value);
  });
  EXPECT_EQ(found.bracket.stop_reason(), StopReason::converged);
  EXPECT_LE(*found.bracket.last_passing(), 900);
  EXPECT_TRUE(found.bracket.confirmed());
}

TEST(Bracket, GivesUpWhenNoConfirmationHolds) {
  const auto found = search({}, 1000, [](const auto& step) {
    return step.purpose == Purpose::confirm ? Judged::fails : below(1000, step.value);
  });
  EXPECT_EQ(found.bracket.stop_reason(), StopReason::edge_unclear);
  EXPECT_FALSE(found.bracket.confirmed());
}

TEST(Bracket, StaysOnWholeValuesHoweverFewThereAre) {
  const auto found = search({.min = 1, .max = 10}, 2, [](const auto& step) { return below(3, step.value); });
  EXPECT_THAT(found.bracket.last_passing(), Optional(3));
  EXPECT_THAT(found.bracket.first_failing(), Optional(4));
  EXPECT_EQ(found.bracket.stop_reason(), StopReason::converged);
}

TEST(Bracket, GoesOnFromARecordAsIfItHadJustBeenMade) {
  const auto judge = [](const auto& step) { return below(7000, step.value); };
  const auto whole = search({}, 2000, judge);
  Bracket resumed({}, 2000);
  for (std::size_t i = 0; i < whole.steps.size() / 2; ++i)
    resumed.take(whole.steps[i], judge(whole.steps[i]));
  ASSERT_TRUE(resumed.next());
  EXPECT_EQ(resumed.next()->value, whole.steps[whole.steps.size() / 2].value);
}

TEST(Bracket, KnowsAboutHowManyTrialsAreLeft) {
  Bracket bracket({}, 900);
  std::size_t trials = 0;
  std::vector<std::size_t> said;
  while (const auto step = bracket.next()) {
    said.push_back(bracket.trials_left());
    bracket.take(*step, below(1000, step->value));
    ++trials;
  }
  EXPECT_EQ(bracket.trials_left(), 0U);
  EXPECT_NEAR(static_cast<double>(said.front()), static_cast<double>(trials), 3);
}

/// The judge errs more the closer to the edge, as trials of finite length do.
TEST(Bracket, FindsTheEdgeWithAJudgeThatErrsNearIt) {
  constexpr unsigned kSeed = 5;
  std::mt19937 random(kSeed);
  std::uniform_real_distribution<double> chance(0, 1);
  int off = 0;
  constexpr int kRuns = 400;
  for (int i = 0; i < kRuns; ++i) {
    const auto found = search({}, 9000, [&](const auto& step) {
      const double pass = 1 / (1 + std::exp((step.value / 10'000 - 1) / 0.008));
      return chance(random) < pass ? Judged::passes : Judged::fails;
    });
    const bool near = found.bracket.last_passing().value_or(0) > 9200 &&
                      found.bracket.first_failing().value_or(1e9) < 10'800;
    if (!near) ++off;
  }
  EXPECT_LE(off, kRuns / 50) << "seed " << kSeed;
}

}  // namespace
}  // namespace walstorm::search
