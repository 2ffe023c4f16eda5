#include "orchestrator/compare/change_text.h"

#include <cmath>
#include <fmt/format.h>

namespace walstorm::compare {

std::string amount_text(const std::optional<double>& change) {
  constexpr double kAsFactorMin = 9.995;
  if (!change) return "–";
  if (std::isinf(*change)) return "from 0";
  if (*change >= kAsFactorMin) return fmt::format("×{:.0f}", *change + 1);
  const double percent = *change * 100;
  return std::abs(percent) < 99.95 ? fmt::format("{:+.1f} %", percent) : fmt::format("{:+.0f} %", percent);
}

std::string change_text(const FigureChange& figure) {
  switch (figure.said) {
    case Said::same:
      return "~";
    case Said::untold:
      return figure.change ? amount_text(figure.change) + " ?" : "–";
    default:
      return fmt::format("{} {}", amount_text(figure.change), to_string(figure.said));
  }
}

std::string p_text(const FigureChange& figure) {
  if (!figure.p || figure.said == Said::untold) return "–";
  return *figure.p < 0.001 ? "<0.001" : fmt::format("{:.3f}", *figure.p);
}

}  // namespace walstorm::compare
