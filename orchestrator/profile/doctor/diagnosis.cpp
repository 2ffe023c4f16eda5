#include "orchestrator/profile/doctor/diagnosis.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <utility>

#include "orchestrator/profile/doctor/findings.h"

namespace walstorm::profile::doctor {
namespace {

bool reaches(const std::optional<double>& value, double limit) {
  return value && *value >= limit;
}

double middle(std::vector<double> values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

std::vector<double> values_of(const std::vector<Window>& windows, std::optional<double> Window::*figure) {
  std::vector<double> values;
  values.reserve(windows.size());
  for (const Window& window : windows) {
    if (window.*figure) values.push_back(*(window.*figure));
  }
  return values;
}

/// The share of the time in which the worker could not have taken more: from outside, where that is seen.
std::optional<double> busy_of(const Window& window) {
  if (!window.cpu_share) return window.utilization;
  return *window.cpu_share + window.run_queue_share.value_or(0);
}

bool is_full(const Window& window, const Thresholds& limits) {
  return reaches(window.flushes_share, limits.flushes_share) ||
         reaches(window.buffered_share, limits.buffered_share);
}

/// One flush of one allowed may be under way at any look, and be all that is needed: a sink that holds the
/// reader up is known by records that grow old in PostgreSQL, or by none that is acknowledged.
bool is_held_up(const Window& window, const Thresholds& limits) {
  return !window.postgres_wait_ms || *window.postgres_wait_ms >= limits.held_up_ms;
}

/// By the medians of three thirds; nullopt where it did not grow, or not all the time.
std::optional<Growth> growth_of(const Watched& watched, const Thresholds& limits) {
  const std::vector<double> rss = values_of(watched.windows, &Window::rss_bytes);
  if (rss.size() < limits.growth_windows_min) return std::nullopt;
  const auto third = static_cast<std::ptrdiff_t>(rss.size() / 3);
  const double first = middle({rss.begin(), rss.begin() + third});
  const double second = middle({rss.begin() + third, rss.end() - third});
  const double last = middle({rss.end() - third, rss.end()});
  const double grown = last - first;
  if (grown < limits.growth_bytes || grown < limits.growth_share * first) return std::nullopt;
  const double step_min = limits.growth_step_share * grown;
  if (second - first < step_min || last - second < step_min) return std::nullopt;
  const auto& windows = watched.windows;
  const double sec =
      (windows.back().to_sec - windows.front().from_sec) * 2 / 3;  // between the thirds' middles
  return Growth{rss.front(), rss.back(), sec > 0 ? grown / sec : 0};
}

/// Those of the windows' states that enough windows are in, the most frequent first.
std::vector<std::pair<Category, std::size_t>> frequent(const std::vector<Category>& states,
                                                       const Thresholds& limits) {
  std::vector<std::pair<Category, std::size_t>> found;
  for (const Category each : {Category::scheduler_starved, Category::cpu_bound, Category::io_bound_on_sink,
                              Category::io_bound_on_postgres}) {
    const auto count = static_cast<std::size_t>(std::count(states.begin(), states.end(), each));
    const double needed = limits.windows_share * static_cast<double>(states.size());
    if (count > 0 && static_cast<double>(count) >= needed) found.emplace_back(each, count);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return found;
}

}  // namespace

Overall over(const std::vector<Window>& windows, std::optional<double> Window::*figure) {
  const std::vector<double> values = values_of(windows, figure);
  if (values.empty()) return {};
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {sum / static_cast<double>(values.size()), middle(values),
          *std::max_element(values.begin(), values.end())};
}

Category state_of(const Window& window, Role role, const Thresholds& limits) {
  if (reaches(window.run_queue_share, limits.run_queue_share) &&
      reaches(busy_of(window), limits.starved_busy_share))
    return Category::scheduler_starved;
  if (reaches(busy_of(window), limits.busy_share)) return Category::cpu_bound;
  if (role == Role::producer) {
    return reaches(window.connections_share, limits.connections_share) ? Category::io_bound_on_postgres
                                                                       : Category::healthy;
  }
  // What the sink does not take holds the reader up, so records are late from PostgreSQL too: not its fault.
  if (is_full(window, limits) && is_held_up(window, limits)) return Category::io_bound_on_sink;
  if (reaches(window.postgres_wait_ms, limits.postgres_wait_ms)) return Category::io_bound_on_postgres;
  return Category::healthy;
}

Diagnosis diagnose(const Watched& watched, const Thresholds& limits) {
  Diagnosis diagnosis;
  for (const Window& window : watched.windows)
    diagnosis.states.push_back(state_of(window, watched.role, limits));
  Found found{watched, limits, {}, watched.windows.size()};
  if (watched.windows.size() < limits.windows_min) {
    diagnosis.category = Category::too_little_data;
  } else {
    found.growth = growth_of(watched, limits);
    std::vector<std::pair<Category, std::size_t>> all = frequent(diagnosis.states, limits);
    if (found.growth) all.insert(all.begin(), {Category::memory_growing, watched.windows.size()});
    if (all.empty()) all.emplace_back(Category::healthy, watched.windows.size());
    diagnosis.category = all.front().first;
    found.windows = all.front().second;
    for (std::size_t i = 1; i < all.size(); ++i) diagnosis.also.push_back(all[i].first);
    diagnosis.remarks = remarks(found, diagnosis.category);
  }
  diagnosis.says = sentence(found, diagnosis.category);
  for (const Category each : diagnosis.also) diagnosis.says += fmt::format(" It is {} too.", words(each));
  diagnosis.next_step = next_step(watched.role, diagnosis.category, limits);
  return diagnosis;
}

}  // namespace walstorm::profile::doctor
