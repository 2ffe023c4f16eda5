// How often the analysis of a sweep is right when runs are missing: sweeps of known effects, simulated some
// thousand times over.

#include "orchestrator/sweep/analysis.h"

#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "orchestrator/sweep/block_effects.h"
#include "orchestrator/sweep/grid.h"

namespace walstorm::sweep {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

constexpr unsigned kSeed = 20261127;
constexpr int kSweeps = 2000;
/// Of 5 %, seen in so many sweeps: within four standard deviations.
constexpr double kAbout = 0.02;

using Samples = std::vector<std::vector<double>>;

/// What is missing of a complete sweep.
using Lose = std::function<void(Samples&, std::mt19937&)>;

void one_run(Samples& samples, std::mt19937&) {
  samples.front().pop_back();
}
void one_cell(Samples& samples, std::mt19937&) {
  samples.back().clear();
}
/// All but one run of a cell, and another cell.
void most_of_two(Samples& samples, std::mt19937&) {
  samples.front().resize(1);
  samples.back().clear();
}
void last_round_from_the_second_cell(Samples& samples, std::mt19937&) {
  for (std::size_t cell = 1; cell < samples.size(); ++cell) samples[cell].pop_back();
}
void every_third_at_random(Samples& samples, std::mt19937& random) {
  for (auto& cell : samples)
    std::erase_if(cell,
                  [&](double) { return std::uniform_real_distribution<double>(0, 1)(random) < 1.0 / 3; });
}

struct Missing {
  const char* name;
  Lose lose;
};

const std::vector<Missing>& all_missing() {
  static const std::vector<Missing> all{{"one run", one_run},
                                        {"one cell", one_cell},
                                        {"most of two cells", most_of_two},
                                        {"the last round, broken off", last_round_from_the_second_cell},
                                        {"every third run", every_third_at_random}};
  return all;
}

Samples simulated(const std::vector<Cell>& cells, std::mt19937& random,
                  const std::function<double(const Cell&)>& truth) {
  std::normal_distribution<double> noise(0, 0.05);
  Samples samples(cells.size());
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    for (int repeat = 0; repeat < 3; ++repeat)
      samples[cell].push_back(truth(cells[cell]) * std::exp(noise(random)));
  }
  return samples;
}

const std::vector<std::vector<Axis>>& designs() {
  static const std::vector<std::vector<Axis>> all{{{"a", {"1", "2"}}, {"b", {"1", "2"}}},
                                                  {{"a", {"1", "2", "3"}}, {"b", {"1", "2"}}},
                                                  {{"a", {"1", "2"}}, {"b", {"1", "2"}}, {"c", {"1", "2"}}}};
  return all;
}

/// The first key makes a figure ten times as large, the others do nothing.
double only_the_first_key_matters(const Cell& cell) {
  return 100 * std::pow(10.0, static_cast<double>(*cell[0]));
}

TEST(SweepWithMissingRuns, CallsAKeyThatDoesNothingSignificantInOneOfTwentySweeps) {
  for (const auto& axes : designs()) {
    const auto cells = cells_of(axes, Mode::full);
    for (const auto& [name, lose] : all_missing()) {
      std::mt19937 random(kSeed);
      int called = 0, judged = 0;
      for (int sweep = 0; sweep < kSweeps; ++sweep) {
        Samples samples = simulated(cells, random, only_the_first_key_matters);
        lose(samples, random);
        const auto& p = analyse(axes, cells, samples, true).axes.back().p;
        judged += p ? 1 : 0;
        called += p.value_or(1) < 0.05 ? 1 : 0;
      }
      fmt::print("{} cells without {}: called {} of {}\n", cells.size(), name, called, judged);
      SCOPED_TRACE(fmt::format("{} cells without {}, seed {}", cells.size(), name, kSeed));
      EXPECT_GE(judged, 0.9 * kSweeps);
      EXPECT_NEAR(called / static_cast<double>(judged), 0.05, kAbout);
    }
  }
}

TEST(SweepWithMissingRuns, StillSeesAKeyThatMatters) {
  for (const auto& axes : designs()) {
    const auto cells = cells_of(axes, Mode::full);
    for (const auto& [name, lose] : all_missing()) {
      if (std::string(name) == "every third run") continue;  // may leave nothing to tell it by
      std::mt19937 random(kSeed);
      Samples samples = simulated(cells, random, [](const Cell& cell) {
        return only_the_first_key_matters(cell) * (*cell.back() == 0 ? 1.0 : 1.5);
      });
      lose(samples, random);
      const FigureAnalysis found = analyse(axes, cells, samples, true);
      SCOPED_TRACE(fmt::format("{} cells without {}, seed {}", cells.size(), name, kSeed));
      EXPECT_LT(found.axes.front().p.value_or(1), 0.001);
      EXPECT_LT(found.axes.back().p.value_or(1), 0.005);
      EXPECT_NEAR(*found.axes.back().means[1] / *found.axes.back().means[0], 1.5, 0.2)
          << "what the other keys did is no part of it";
    }
  }
}

TEST(SweepWithMissingRuns, CallsNoCellBestAmongEquals) {
  const auto& axes = designs().front();
  const auto cells = cells_of(axes, Mode::full);
  for (const auto& [name, lose] : all_missing()) {
    std::mt19937 random(kSeed);
    int called = 0;
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      Samples samples = simulated(cells, random, [](const Cell&) { return 100.0; });
      lose(samples, random);
      called += analyse(axes, cells, samples, true).best ? 1 : 0;
    }
    EXPECT_LE(called, kSweeps * 0.065) << name << ", seed " << kSeed;
  }
}

TEST(SweepWithMissingRuns, JudgesOneAtATimeAsWell) {
  const std::vector<Axis> axes{{"a", {"1", "2", "3"}}, {"b", {"1", "2"}}};
  const auto cells = cells_of(axes, Mode::one_at_a_time);
  std::mt19937 random(kSeed);
  int called = 0;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    Samples samples = simulated(cells, random, [](const Cell& cell) { return cell[1] ? 1000.0 : 100.0; });
    samples[1].pop_back();
    samples.back().pop_back();
    called += *analyse(axes, cells, samples, true).axes[0].p < 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(called / static_cast<double>(kSweeps), 0.05, kAbout) << "seed " << kSeed;
}

TEST(BlockEffects, ArePlainMeansWhereNothingIsMissing) {
  // Two values under two other settings: 1 3 / 5 11, twice each.
  const BlockEffects found = block_effects(2, {{{0, 1, 2}, {1, 3, 2}}, {{0, 5, 2}, {1, 11, 2}}});
  EXPECT_THAT(found.means[0], Optional(DoubleNear(3, 1e-9)));
  EXPECT_THAT(found.means[1], Optional(DoubleNear(7, 1e-9)));
  EXPECT_NEAR(found.squares, 8 * 4, 1e-9);  // 8 runs, each 2 from the mean of 5
  EXPECT_EQ(found.freedom, 1);
}

TEST(BlockEffects, TakesOutWhatABlockIsThoughAValueLacksInIt) {
  // Blocks of 0, 100 and 1000; value 1 is 2 more and value 2 is 5 more than value 0.
  const BlockEffects found =
      block_effects(3, {{{0, 0, 3}, {1, 2, 1}}, {{1, 102, 2}, {2, 105, 3}}, {{0, 1000, 1}}});
  EXPECT_EQ(found.freedom, 2);
  EXPECT_THAT(found.means[0], Optional(DoubleNear(1100.0 / 3, 1e-6)));
  EXPECT_THAT(found.means[1], Optional(DoubleNear(1100.0 / 3 + 2, 1e-6)));
  EXPECT_THAT(found.means[2], Optional(DoubleNear(1100.0 / 3 + 5, 1e-6)));
}

TEST(BlockEffects, ComparesNothingAcrossBlocksThatShareNoValue) {
  const BlockEffects found = block_effects(4, {{{0, 1, 2}, {1, 1, 2}, {2, 1, 2}}, {{3, 900, 2}}});
  EXPECT_NEAR(found.squares, 0, 1e-9);
  EXPECT_EQ(found.freedom, 2);
  EXPECT_THAT(found.means[0], Optional(DoubleNear(1, 1e-9)));
  EXPECT_EQ(found.means[3], std::nullopt);
  EXPECT_EQ(block_effects(2, {}).freedom, 0);
}

}  // namespace
}  // namespace walstorm::sweep
