#include "orchestrator/text/or_null.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace walstorm::text {

double rounded(double figure) {
  if (!std::isfinite(figure)) return figure;
  // From 100 on thousandths are at least six digits. The decimal is read back, which gives the double whose
  // shortest text it is.
  const std::string decimal =
      std::abs(figure) < 100 ? fmt::format("{:.6g}", figure) : fmt::format("{:.3f}", figure);
  double value = figure;
  std::from_chars(decimal.data(), decimal.data() + decimal.size(), value);
  return value;
}

nlohmann::ordered_json or_null(const std::optional<double>& figure) {
  if (!figure || !std::isfinite(*figure)) return nullptr;
  return rounded(*figure);
}

}  // namespace walstorm::text
