#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace walstorm::measure {

/// The middle value, or the mean of the two in the middle. Of one value at least.
[[nodiscard]] inline double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace walstorm::measure
