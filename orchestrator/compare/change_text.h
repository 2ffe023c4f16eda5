#pragma once

#include <optional>
#include <string>

#include "orchestrator/compare/figure_change.h"

/// A figure's change as tables have it.
namespace walstorm::compare {

/// "+4.2 %", "×12" or "from 0".
[[nodiscard]] std::string amount_text(const std::optional<double>& change);

/// "~" within noise, "+4.2 % worse" beyond it, "+4.2 % ?" where the samples cannot tell.
[[nodiscard]] std::string change_text(const FigureChange& figure);

/// Of samples that cannot tell anything, a p says nothing either: "–".
[[nodiscard]] std::string p_text(const FigureChange& figure);

}  // namespace walstorm::compare
