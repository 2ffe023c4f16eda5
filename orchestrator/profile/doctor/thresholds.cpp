#include "orchestrator/profile/doctor/thresholds.h"

#include <algorithm>
#include <fmt/format.h>

namespace walstorm::profile::doctor {
namespace {

std::string percent(double share) {
  return fmt::format("{:.0f} %", share * 100);
}

}  // namespace

std::string words(Category category) {
  switch (category) {
    case Category::too_little_data:
      return "too little data";
    case Category::memory_growing:
      return "memory-growing";
    case Category::scheduler_starved:
      return "scheduler-starved";
    case Category::cpu_bound:
      return "cpu-bound";
    case Category::io_bound_on_sink:
      return "io-bound on the sink";
    case Category::io_bound_on_postgres:
      return "io-bound on PostgreSQL";
    case Category::healthy:
      return "healthy";
  }
  return "healthy";
}

std::string to_string(Category category) {
  std::string text = words(category);
  std::replace(text.begin(), text.end(), ' ', '-');
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::vector<Rule> rules(const Thresholds& limits) {
  const std::string often = fmt::format("in at least {} of the windows: ", percent(limits.windows_share));
  return {
      {Category::too_little_data, fmt::format("fewer than {} windows", limits.windows_min)},
      {Category::memory_growing,
       fmt::format("from the first third of the phase to the last (medians) resident memory grew by at least "
                   "{:.0f} MiB and {}, at least {} of that before the middle third and as much after it; {} "
                   "windows or "
                   "more",
                   limits.growth_bytes / 1024 / 1024, percent(limits.growth_share),
                   percent(limits.growth_step_share), limits.growth_windows_min)},
      {Category::scheduler_starved,
       often +
           fmt::format("ready to run without a CPU for at least {} of the time, and on one or ready for it "
                       "for at least {}",
                       percent(limits.run_queue_share), percent(limits.starved_busy_share))},
      {Category::cpu_bound, often + fmt::format("on a CPU, or ready for one, for at least {} of the time",
                                                percent(limits.busy_share))},
      {Category::io_bound_on_sink,
       often +
           fmt::format("a consumer has {} of the flushes that it may have at once under way, or holds {} "
                       "of the memory that it may hold, and reads its records {:.0f} ms or more after their "
                       "commit (p50), or gets none acknowledged",
                       percent(limits.flushes_share), percent(limits.buffered_share), limits.held_up_ms)},
      {Category::io_bound_on_postgres,
       often + fmt::format("a consumer reads its records {:.0f} ms or more after their commit (p50), a "
                           "producer's connections are in transactions for at least {} of the time",
                           limits.postgres_wait_ms, percent(limits.connections_share))},
      {Category::healthy, "none of these"},
  };
}

}  // namespace walstorm::profile::doctor
