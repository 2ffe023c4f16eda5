#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/profile/doctor/thresholds.h"
#include "orchestrator/profile/doctor/window.h"

namespace walstorm::profile::doctor {

enum class Unit { share, ms, bytes, per_sec, count };

/// A figure of a window, as report, page and JSON show it.
struct Figure {
  const char* key;   ///< "runQueueShare"
  const char* name;  ///< "waited for a CPU"
  Unit unit;
  std::optional<double> Window::*of;
  bool by_median = false;  ///< over a phase; else by mean
  std::optional<double> limit = {};
};

/// Those that are shown, in their order.
[[nodiscard]] std::vector<Figure> figures(const Thresholds& limits);

/// "71 %", "3.2 ms", "–".
[[nodiscard]] std::string figure_text(Unit unit, const std::optional<double>& value);

}  // namespace walstorm::profile::doctor
