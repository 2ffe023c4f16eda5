#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/profile/doctor/thresholds.h"
#include "orchestrator/profile/doctor/window.h"

namespace walstorm::profile::doctor {

/// A figure over all windows that have it.
struct Overall {
  std::optional<double> mean, median, highest;
};

/// Over what `figure` picks of each window.
[[nodiscard]] Overall over(const std::vector<Window>& windows, std::optional<double> Window::*figure);

/// What ails a worker in a phase, or that nothing does.
struct Diagnosis {
  Category category = Category::too_little_data;
  std::vector<Category> also;    ///< what else is found in as many windows as it takes
  std::vector<Category> states;  ///< of each window: a category of those that a window can be in
  std::string says;              ///< in plain words, the category and the figures behind it
  std::string next_step;
  std::vector<std::string> remarks;  ///< sentences that are worth a look and no category
};

/// What a window alone shows. Pure.
[[nodiscard]] Category state_of(const Window& window, Role role, const Thresholds& limits);

/// Pure.
[[nodiscard]] Diagnosis diagnose(const Watched& watched, const Thresholds& limits = {});

}  // namespace walstorm::profile::doctor
