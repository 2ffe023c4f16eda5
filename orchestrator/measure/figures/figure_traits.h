#pragma once

#include <concepts>
#include <type_traits>

#include "orchestrator/config/figure_names.h"
#include "orchestrator/text/figure_text.h"

namespace walstorm::measure {

using config::Known;
using text::Unit;

/// Which way a figure should go, where one can say so: a lag down, a throughput up, a number of records
/// neither.
enum class Better { lower, higher, neither };

/// What is known of a figure beside its name and its value.
struct FigureTraits {
  Unit unit = Unit::count;
  Better better = Better::neither;
  Known known = Known::over_a_window;
};

/// T or const T: the table shows a report to those who read it and to those who fill it.
template <typename Some, typename T>
concept Is = std::same_as<std::remove_const_t<Some>, T>;

}  // namespace walstorm::measure
