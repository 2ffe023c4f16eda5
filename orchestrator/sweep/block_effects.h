#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace walstorm::sweep {

/// What was run with one value of an axis under one choice of all other settings.
struct BlockCell {
  std::size_t value = 0;  ///< its number
  double mean = 0;
  double runs = 0;  ///< at least 1
};

/// Cells that differ in nothing but the axis's value.
using Block = std::vector<BlockCell>;

struct BlockEffects {
  /// By value: the mean over the blocks, each of them counted once, as the additive model has it where a
  /// block lacks the value. nullopt for a value that no chain of blocks ties to the others.
  std::vector<std::optional<double>> means;
  /// The sum of squares of the values' effects, the blocks' own differences taken out, and its degrees of
  /// freedom: 0 where no block has two values.
  double squares = 0;
  double freedom = 0;
};

/// The intra-block analysis of a block design that may be incomplete and unbalanced (Scheffe, The Analysis of
/// Variance, 5.2; Yates 1940): run = block + value + noise, by least squares. Where every block has every
/// value equally often these are the plain means and their sum of squares.
///
/// Where the value has no effect, squares / freedom / variance follows F for whatever the blocks are and
/// whichever runs are missing, so long as the noise of the runs is alike.
[[nodiscard]] BlockEffects block_effects(std::size_t values, const std::vector<Block>& blocks);

}  // namespace walstorm::sweep
