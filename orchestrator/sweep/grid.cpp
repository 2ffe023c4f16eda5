#include "orchestrator/sweep/grid.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <random>
#include <utility>

namespace walstorm::sweep {

std::size_t cell_count(const std::vector<Axis>& axes, Mode mode, std::size_t most) {
  std::size_t count = 1;
  for (const Axis& axis : axes) {
    const std::size_t values = axis.values.size();
    count = std::min(most, mode == Mode::full ? count * values : count + values);
  }
  return count;
}

std::vector<Cell> cells_of(const std::vector<Axis>& axes, Mode mode) {
  std::vector<Cell> cells{Cell(axes.size())};
  if (mode == Mode::one_at_a_time) {
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      for (std::size_t value = 0; value < axes[axis].values.size(); ++value) {
        cells.emplace_back(axes.size())[axis] = value;
      }
    }
    return cells;
  }
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    std::vector<Cell> wider;
    for (const Cell& cell : cells) {
      for (std::size_t value = 0; value < axes[axis].values.size(); ++value) {
        wider.push_back(cell);
        wider.back()[axis] = value;
      }
    }
    cells = std::move(wider);
  }
  return cells;
}

std::string cell_text(const std::vector<Axis>& axes, const Cell& cell) {
  std::string text;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (!cell[axis]) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", axes[axis].key, axes[axis].values[*cell[axis]]);
  }
  return text.empty() ? "as configured" : text;
}

std::vector<std::size_t> run_order(std::size_t cells, std::size_t repeats, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::size_t> order;
  std::vector<std::size_t> round(cells);
  std::iota(round.begin(), round.end(), std::size_t{0});
  for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
    // By hand: what std::shuffle makes of a seed differs from library to library, and a sweep may be resumed.
    for (std::size_t left = cells; left > 1; --left) std::swap(round[left - 1], round[random() % left]);
    order.insert(order.end(), round.begin(), round.end());
  }
  return order;
}

}  // namespace walstorm::sweep
