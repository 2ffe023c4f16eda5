#include "orchestrator/search/lag_creep.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>

#include "orchestrator/measure/figures/median.h"

namespace walstorm::search {
namespace {

constexpr std::size_t kQuarters = 4;
constexpr std::size_t kSecondsMin = 8;
/// Less than this, or than this share of the lag, is how flushes happen to fall.
constexpr double kCreepMsMin = 25;
constexpr double kCreepShareMin = 0.25;

}  // namespace

std::optional<double> lag_creep_ms(const std::vector<double>& lag_ms) {
  if (lag_ms.size() < kSecondsMin) return std::nullopt;
  std::array<double, kQuarters> medians{};
  for (std::size_t quarter = 0; quarter < kQuarters; ++quarter) {
    const auto from = static_cast<std::ptrdiff_t>(lag_ms.size() * quarter / kQuarters);
    const auto to = static_cast<std::ptrdiff_t>(lag_ms.size() * (quarter + 1) / kQuarters);
    medians[quarter] = measure::median_of({lag_ms.begin() + from, lag_ms.begin() + to});
  }
  if (std::adjacent_find(medians.begin(), medians.end(), std::greater_equal<>()) != medians.end()) return 0;
  const double rise = medians.back() - medians.front();
  return rise > std::max(kCreepMsMin, kCreepShareMin * medians.front()) ? rise : 0;
}

}  // namespace walstorm::search
