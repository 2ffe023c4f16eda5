#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace walstorm::sweep {

/// A config key and the values it takes, as JSON: {"consumer.flushBatchSize", {"50", "200", "1000"}}.
struct Axis {
  std::string key;
  std::vector<std::string> values;
};

/// One combination: for each axis the number of its value; nullopt where the config's own stands.
using Cell = std::vector<std::optional<std::size_t>>;

enum class Mode {
  full,           ///< every value with every other
  one_at_a_time,  ///< the config as it is, then each value of each axis alone
};

/// How many cells there are; `most` where there are more.
[[nodiscard]] std::size_t cell_count(const std::vector<Axis>& axes, Mode mode, std::size_t most);

/// The cells in the order of the axes, the last one fastest.
[[nodiscard]] std::vector<Cell> cells_of(const std::vector<Axis>& axes, Mode mode);

/// "consumer.flushBatchSize=50 consumer.maxFlushConcurrency=4"; "as configured" where nothing is changed.
[[nodiscard]] std::string cell_text(const std::vector<Axis>& axes, const Cell& cell);

/// The cells' numbers in the order of their runs: `repeats` rounds of all cells, each in an order of its own
/// that the seed fixes, so that a machine that drifts is as kind to one cell as to any other.
[[nodiscard]] std::vector<std::size_t> run_order(std::size_t cells, std::size_t repeats, std::uint64_t seed);

}  // namespace walstorm::sweep
