#include "orchestrator/sweep/block_effects.h"

#include <algorithm>
#include <numeric>

#include <boost/numeric/ublas/lu.hpp>
#include <boost/numeric/ublas/matrix.hpp>
#include <boost/numeric/ublas/vector.hpp>

namespace walstorm::sweep {
namespace {

namespace ublas = boost::numeric::ublas;

double runs_of(const Block& block) {
  return std::accumulate(block.begin(), block.end(), 0.0,
                         [](double sum, const BlockCell& cell) { return sum + cell.runs; });
}

double mean_of(const Block& block) {
  return std::accumulate(block.begin(), block.end(), 0.0,
                         [](double sum, const BlockCell& cell) { return sum + cell.runs * cell.mean; }) /
         runs_of(block);
}

/// Values that blocks tie together: only within such a group can they be compared.
struct Group {
  std::vector<std::size_t> values;
  std::vector<Block> blocks;
};

bool share_a_value(const Group& group, const Block& block) {
  return std::any_of(block.begin(), block.end(), [&group](const BlockCell& cell) {
    return std::find(group.values.begin(), group.values.end(), cell.value) != group.values.end();
  });
}

void join(Group& group, const Group& other) {
  for (const std::size_t value : other.values) {
    if (std::find(group.values.begin(), group.values.end(), value) == group.values.end())
      group.values.push_back(value);
  }
  group.blocks.insert(group.blocks.end(), other.blocks.begin(), other.blocks.end());
}

std::vector<Group> groups_of(const std::vector<Block>& blocks) {
  std::vector<Group> groups;
  for (const Block& block : blocks) {
    if (block.empty()) continue;
    Group joined;
    for (const BlockCell& cell : block) joined.values.push_back(cell.value);
    joined.blocks.push_back(block);
    std::erase_if(groups, [&](const Group& group) {
      if (!share_a_value(group, block)) return false;
      join(joined, group);
      return true;
    });
    groups.push_back(std::move(joined));
  }
  return groups;
}

/// The effects of a group's values against that of its first one, in its own order, and what they explain.
struct Solution {
  std::vector<double> effects;
  double squares = 0;
};

/// The reduced normal equations: for each value but the first, its runs' total less what their blocks' means
/// make of it. Positive definite, since blocks tie all values of the group together.
Solution solved(const Group& group) {
  const std::size_t unknowns = group.values.size() - 1;
  Solution solution{std::vector<double>(group.values.size(), 0.0), 0};
  if (unknowns == 0) return solution;
  ublas::matrix<double> equations = ublas::zero_matrix<double>(unknowns, unknowns);
  ublas::vector<double> totals = ublas::zero_vector<double>(unknowns);
  const auto place = [&group](std::size_t value) {
    return static_cast<std::size_t>(std::find(group.values.begin(), group.values.end(), value) -
                                    group.values.begin());
  };
  for (const Block& block : group.blocks) {
    const double runs = runs_of(block);
    const double mean = mean_of(block);
    for (const BlockCell& cell : block) {
      const std::size_t row = place(cell.value);
      if (row == 0) continue;
      totals(row - 1) += cell.runs * (cell.mean - mean);
      equations(row - 1, row - 1) += cell.runs;
      for (const BlockCell& other : block) {
        const std::size_t column = place(other.value);
        if (column > 0) equations(row - 1, column - 1) -= cell.runs * other.runs / runs;
      }
    }
  }
  ublas::vector<double> effects = totals;
  ublas::permutation_matrix<std::size_t> order(unknowns);
  (void)ublas::lu_factorize(equations, order);
  ublas::lu_substitute(equations, order, effects);
  solution.squares = ublas::inner_prod(effects, totals);
  std::copy(effects.begin(), effects.end(), solution.effects.begin() + 1);
  return solution;
}

/// What the blocks have on average beside the effects of their values.
double level_of(const Group& group, const Solution& solution) {
  double sum = 0;
  for (const Block& block : group.blocks) {
    double level = mean_of(block);
    for (const BlockCell& cell : block) {
      const auto at = std::find(group.values.begin(), group.values.end(), cell.value) - group.values.begin();
      level -= cell.runs / runs_of(block) * solution.effects[static_cast<std::size_t>(at)];
    }
    sum += level;
  }
  return sum / static_cast<double>(group.blocks.size());
}

}  // namespace

BlockEffects block_effects(std::size_t values, const std::vector<Block>& blocks) {
  BlockEffects found;
  found.means.resize(values);
  const auto groups = groups_of(blocks);
  if (groups.empty()) return found;
  std::vector<Solution> solutions;
  for (const Group& group : groups) {
    found.freedom += static_cast<double>(group.values.size()) - 1;
    found.squares += solutions.emplace_back(solved(group)).squares;
  }
  // Means of different groups are of different blocks: one group's alone can stand side by side.
  const auto largest = std::max_element(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return a.values.size() < b.values.size();
  });
  const Solution& solution = solutions[static_cast<std::size_t>(largest - groups.begin())];
  const double level = level_of(*largest, solution);
  for (std::size_t i = 0; i < largest->values.size(); ++i)
    found.means[largest->values[i]] = level + solution.effects[i];
  return found;
}

}  // namespace walstorm::sweep
