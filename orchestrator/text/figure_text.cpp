#include "orchestrator/text/figure_text.h"

#include <cstdint>

#include "orchestrator/text/format.h"

namespace walstorm::text {

std::string figure_text(Unit unit, std::optional<double> value) {
  switch (unit) {
    case Unit::per_sec:
      return rate_text(value);
    case Unit::ms:
      return ms_text(value);
    case Unit::sec:
      return sec_text(value);
    case Unit::micros:
      return micros_text(value);
    case Unit::share:
      return percent_text(value);
    case Unit::bytes:
      if (value && *value >= 0) return bytes_text(static_cast<std::uint64_t>(*value));
      break;
    case Unit::count:
      break;
  }
  return number_text(value);
}

}  // namespace walstorm::text
