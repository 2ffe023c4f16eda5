#include <algorithm>
#include <cmath>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <set>

#include "orchestrator/sweep/analysis.h"
#include "orchestrator/sweep/grid.h"

namespace walstorm::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const std::vector<Axis> kTwoAxes{{"consumer.flushBatchSize", {"50", "200", "1000"}},
                                 {"consumer.maxFlushConcurrency", {"1", "4"}}};

TEST(Grid, CrossesEveryValueWithEveryOther) {
  const auto cells = cells_of(kTwoAxes, Mode::full);
  ASSERT_THAT(cells, SizeIs(6));
  EXPECT_EQ(cell_text(kTwoAxes, cells.front()), "consumer.flushBatchSize=50 consumer.maxFlushConcurrency=1");
  EXPECT_EQ(cell_text(kTwoAxes, cells.back()), "consumer.flushBatchSize=1000 consumer.maxFlushConcurrency=4");
  EXPECT_EQ(std::set<Cell>(cells.begin(), cells.end()).size(), 6U);
}

TEST(Grid, ChangesOneAxisAtATimeBesideTheConfigAsItIs) {
  const auto cells = cells_of(kTwoAxes, Mode::one_at_a_time);
  ASSERT_THAT(cells, SizeIs(6));
  EXPECT_EQ(cell_text(kTwoAxes, cells[0]), "as configured");
  EXPECT_EQ(cell_text(kTwoAxes, cells[3]), "consumer.flushBatchSize=1000");
  EXPECT_EQ(cell_text(kTwoAxes, cells[5]), "consumer.maxFlushConcurrency=4");
}

TEST(Grid, CountsItsCellsWithoutMakingThem) {
  for (const Mode mode : {Mode::full, Mode::one_at_a_time})
    EXPECT_EQ(cell_count(kTwoAxes, mode, 1000), cells_of(kTwoAxes, mode).size());
  const std::vector<Axis> many(8, Axis{"key", std::vector<std::string>(10, "1")});
  EXPECT_EQ(cell_count(many, Mode::one_at_a_time, 1000), 81U);
  EXPECT_EQ(cell_count(many, Mode::full, 1000), 1000U);
}

TEST(RunOrder, HasEveryCellOnceInEveryRound) {
  const auto order = run_order(7, 3, 1);
  ASSERT_THAT(order, SizeIs(21));
  for (std::ptrdiff_t round = 0; round < 3; ++round) {
    const std::set<std::size_t> seen(order.begin() + round * 7, order.begin() + (round + 1) * 7);
    EXPECT_EQ(seen.size(), 7U);
  }
}

TEST(RunOrder, IsFixedByTheSeedAndDiffersFromRoundToRound) {
  EXPECT_EQ(run_order(9, 2, 1), run_order(9, 2, 1));
  EXPECT_NE(run_order(9, 2, 1), run_order(9, 2, 2));
  const auto order = run_order(9, 2, 1);
  EXPECT_FALSE(std::equal(order.begin(), order.begin() + 9, order.begin() + 9));
}

/// A sweep of made-up runs: each value is what `truth` says of its cell, times noise.
std::vector<std::vector<double>> runs(const std::vector<Cell>& cells, std::size_t repeats, double noise,
                                      std::mt19937& random, const std::function<double(const Cell&)>& truth) {
  std::normal_distribution<double> draw(0, noise);
  std::vector<std::vector<double>> samples;
  for (const Cell& cell : cells) {
    auto& values = samples.emplace_back();
    for (std::size_t i = 0; i < repeats; ++i) values.push_back(truth(cell) * std::exp(draw(random)));
  }
  return samples;
}

TEST(Analysis, MarksTheBestCellAndTheAxisThatMakesIt) {
  std::mt19937 random(1);
  const auto cells = cells_of(kTwoAxes, Mode::full);
  const auto samples = runs(cells, 3, 0.03, random, [](const Cell& cell) {
    return (*cell[0] == 1 ? 60.0 : 100.0) * (*cell[1] == 0 ? 1.5 : 1.0);
  });
  const FigureAnalysis found = analyse(kTwoAxes, cells, samples, true);
  EXPECT_THAT(found.best, Optional(3U));  // 200 and 4
  EXPECT_THAT(found.as_good, IsEmpty());
  EXPECT_LT(*found.axes[0].p, 0.001);
  EXPECT_LT(*found.axes[1].p, 0.001);
  EXPECT_NEAR(*found.axes[1].means[0] / *found.axes[1].means[1], 1.5, 0.05);
}

TEST(Analysis, DoesNotCallABestAmongEquals) {
  constexpr unsigned kSeed = 2;
  std::mt19937 random(kSeed);
  const auto cells = cells_of(kTwoAxes, Mode::full);
  int called = 0;
  int effects = 0;
  constexpr int kSweeps = 500;
  for (int i = 0; i < kSweeps; ++i) {
    const FigureAnalysis found =
        analyse(kTwoAxes, cells, runs(cells, 2, 0.1, random, [](const Cell&) { return 100.0; }), true);
    if (found.best) ++called;
    if (*found.axes[0].p < 0.05) ++effects;
  }
  EXPECT_LE(called, kSweeps / 20) << "seed " << kSeed;
  EXPECT_NEAR(effects / static_cast<double>(kSweeps), 0.05, 0.03) << "seed " << kSeed;
}

TEST(Analysis, SaysWhichCellsCannotBeToldFromTheLeader) {
  const auto cells = cells_of({kTwoAxes[0]}, Mode::full);
  const FigureAnalysis found =
      analyse({kTwoAxes[0]}, cells, {{100, 110, 90}, {99, 108, 88}, {500, 520, 480}}, true);
  EXPECT_THAT(found.leader, Optional(1U));
  EXPECT_THAT(found.as_good, ElementsAre(0U));
  EXPECT_EQ(found.best, std::nullopt);
}

TEST(Analysis, TakesTheGreatestWhereMoreIsBetter) {
  const auto cells = cells_of({kTwoAxes[0]}, Mode::full);
  EXPECT_THAT(analyse({kTwoAxes[0]}, cells, {{10, 11}, {50, 51}, {10, 10}}, false).best, Optional(1U));
}

/// Its median leads, and one outlier makes its mean much the worse one.
TEST(Analysis, CallsNoCellBestWhoseMeanIsTheWorseOne) {
  const std::vector<Axis> axes{{"key", {"1", "2"}}};
  const std::vector<std::vector<double>> samples{{90, 90, 90, 90, 90, 90, 1e6, 1e6, 1e6, 1e6, 1e6},
                                                 {91, 91, 91, 91, 91, 91, 91, 91, 91, 91, 91}};
  const auto cells = cells_of(axes, Mode::full);
  const FigureAnalysis lower = analyse(axes, cells, samples, true);
  EXPECT_THAT(lower.leader, Optional(0U));
  EXPECT_EQ(lower.best, std::nullopt);
  auto turned = samples;
  for (auto& cell : turned) {
    for (double& value : cell) value = 1 / value;
  }
  const FigureAnalysis higher = analyse(axes, cells, turned, false);
  EXPECT_THAT(higher.leader, Optional(0U));
  EXPECT_EQ(higher.best, std::nullopt);
}

TEST(Analysis, TellsNothingBeyondNoiseOfSingleRuns) {
  const auto cells = cells_of({kTwoAxes[0]}, Mode::full);
  const FigureAnalysis found = analyse({kTwoAxes[0]}, cells, {{10}, {50}, {90}}, true);
  EXPECT_THAT(found.leader, Optional(0U));
  EXPECT_EQ(found.best, std::nullopt);
  EXPECT_THAT(found.as_good, UnorderedElementsAre(1U, 2U));
  EXPECT_EQ(found.cells[0].low, std::nullopt);
  EXPECT_EQ(found.axes[0].p, std::nullopt);
}

TEST(Analysis, LeavesOutCellsWithoutAFigure) {
  const auto cells = cells_of({kTwoAxes[0]}, Mode::full);
  const FigureAnalysis found = analyse({kTwoAxes[0]}, cells, {{10, 11}, {}, {90, 91}}, true);
  EXPECT_THAT(found.best, Optional(0U));
  EXPECT_EQ(found.cells[1].median, std::nullopt);
  EXPECT_EQ(found.axes[0].means[1], std::nullopt);
}

TEST(Analysis, TakesValuesThatAreNotPositiveAsTheyAre) {
  const auto cells = cells_of({kTwoAxes[0]}, Mode::full);
  const FigureAnalysis found = analyse({kTwoAxes[0]}, cells, {{0, 0.1}, {5, 5.2}, {9, 9.1}}, true);
  EXPECT_THAT(found.best, Optional(0U));
  EXPECT_NEAR(*found.cells[1].median, 5.1, 1e-9);
}

/// The interval of a cell's median holds the truth in 95 of 100 sweeps, however few its own repeats.
TEST(Analysis, GivesIntervalsThatHoldWhatTheySay) {
  constexpr unsigned kSeed = 4;
  std::mt19937 random(kSeed);
  const auto cells = cells_of(kTwoAxes, Mode::full);
  int held = 0;
  constexpr int kSweeps = 1000;
  for (int i = 0; i < kSweeps; ++i) {
    const auto samples = runs(cells, 2, 0.2, random, [](const Cell&) { return 100.0; });
    const CellStat stat = analyse(kTwoAxes, cells, samples, true).cells[2];
    if (*stat.low <= 100 && 100 <= *stat.high) ++held;
  }
  EXPECT_NEAR(held / static_cast<double>(kSweeps), 0.95, 0.02) << "seed " << kSeed;
}

}  // namespace
}  // namespace walstorm::sweep
