#pragma once

#include <optional>
#include <vector>

namespace walstorm::search {

/// By how much the lag crept up over a load, in milliseconds: from the median of its first quarter to that of
/// its last, when each quarter's is higher than the one before and the rise is more than flushes that fall
/// differently make of it; else 0. `lag_ms`: the lag's p50 of each second, in order. nullopt of too few
/// seconds to tell.
///
/// A verdict has to tell overload from noise, and so leaves an overload of a percent or two undecided or
/// takes it for sustained. A search that halves its way to the edge ends just there: a lag that creeps up
/// makes a trial unclear, so that it is repeated for longer. It fails nothing by itself, since some trials of
/// a healthy pipe creep too.
[[nodiscard]] std::optional<double> lag_creep_ms(const std::vector<double>& lag_ms);

}  // namespace walstorm::search
