#include "orchestrator/text/or_null.h"

#include <cmath>

namespace walstorm::text {

nlohmann::ordered_json or_null(const std::optional<double>& figure) {
  if (!figure || !std::isfinite(*figure)) return nullptr;
  return rounded(*figure);
}

}  // namespace walstorm::text
