#include "orchestrator/profile/doctor/show/figures.h"

#include <cmath>
#include <cstdint>
#include <fmt/format.h>

#include "orchestrator/text/format.h"

namespace walstorm::profile::doctor {

std::vector<Figure> figures(const Thresholds& limits) {
  return {
      {"recordsPerSec", "records", Unit::per_sec, &Window::records_per_sec},
      {"cpuShare", "on a CPU", Unit::share, &Window::cpu_share},
      {"runQueueShare", "waited for a CPU", Unit::share, &Window::run_queue_share, false,
       limits.run_queue_share},
      {"utilization", "loop awake", Unit::share, &Window::utilization, false, limits.busy_share},
      {"loopDelayP50Ms", "loop delay p50", Unit::ms, &Window::loop_delay_p50_ms, true},
      {"loopDelayP99Ms", "loop delay p99", Unit::ms, &Window::loop_delay_p99_ms, true,
       limits.loop_delay_p99_ms},
      {"loopDelayMaxMs", "loop delay max", Unit::ms, &Window::loop_delay_max_ms, true},
      {"flushesInFlight", "flushes under way", Unit::count, &Window::flushes_in_flight},
      {"flushesShare", "flushes, of those allowed", Unit::share, &Window::flushes_share, false,
       limits.flushes_share},
      {"bufferedShare", "memory held, of that allowed", Unit::share, &Window::buffered_share, false,
       limits.buffered_share},
      {"sinkWaitMs", "sink wait p50", Unit::ms, &Window::sink_wait_ms, true},
      {"postgresWaitMs", "PostgreSQL wait p50", Unit::ms, &Window::postgres_wait_ms, true,
       limits.postgres_wait_ms},
      {"connectionsShare", "connections in transactions", Unit::share, &Window::connections_share, false,
       limits.connections_share},
      {"voluntaryPerSec", "context switches, voluntary", Unit::per_sec, &Window::voluntary_per_sec},
      {"involuntaryPerSec", "context switches, involuntary", Unit::per_sec, &Window::involuntary_per_sec},
      {"minorFaultsPerSec", "page faults, minor", Unit::per_sec, &Window::minor_faults_per_sec},
      {"majorFaultsPerSec", "page faults, major", Unit::per_sec, &Window::major_faults_per_sec, false,
       limits.major_faults_per_sec},
      {"rssBytes", "resident memory", Unit::bytes, &Window::rss_bytes, true},
  };
}

std::string figure_text(Unit unit, const std::optional<double>& value) {
  switch (unit) {
    case Unit::share:
      return text::percent_text(value);
    case Unit::ms:
      return text::ms_text(value);
    case Unit::bytes:
      return text::bytes_text(value ? std::optional(static_cast<std::uint64_t>(std::llround(*value)))
                                    : std::nullopt);
    case Unit::per_sec:
      return text::rate_text(value);
    case Unit::count:
      return value ? fmt::format("{:.1f}", *value) : "–";
  }
  return "–";
}

}  // namespace walstorm::profile::doctor
