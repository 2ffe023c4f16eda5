#include <algorithm>
#include <vector>

#include "orchestrator/measure/fold/phase_fold.h"

/// PhaseFold on how the records went through the pipe, and which parts were busy.
namespace walstorm::measure {
namespace {

constexpr double kMsPerSec = 1000;
constexpr double kUsPerSec = 1e6;

template <typename Fold>
CountCurve sum_over(const std::map<std::string, Fold>& workers, const CountCurve& (Fold::*curve)() const) {
  std::vector<const CountCurve*> curves;
  curves.reserve(workers.size());
  for (const auto& [name, worker] : workers) curves.push_back(&(worker.*curve)());
  return sum_of(curves);
}

}  // namespace

CountCurve PhaseFold::produced_curve() const {
  return sum_over(producers_, &ProducerFold::produced);
}

CountCurve PhaseFold::acknowledged_curve() const {
  return sum_over(consumers_, &ConsumerFold::acknowledged);
}

CountCurve PhaseFold::run_acknowledged_curve() const {
  return sum_over(consumers_, &ConsumerFold::run_acknowledged);
}

/// What was counted in the Samples of [from, to), by their number; nullopt when there was none.
std::optional<double> PhaseFold::sample_share(const CountCurve& counted, double from_unix_us,
                                               double to_unix_us) const {
  if (samples_.empty()) return std::nullopt;
  const double samples = *samples_.at(to_unix_us) - *samples_.at(from_unix_us);
  if (samples < 1) return std::nullopt;
  return (*counted.at(to_unix_us) - *counted.at(from_unix_us)) / samples;
}

void PhaseFold::look_at_connections(double load_us, BusyReport& busy) const {
  if (load_us <= 0) return;
  double sum = 0;
  double connections = 0;
  for (const auto& [name, producer] : producers_) {
    for (const std::uint64_t busy_us : producer.totals().connection_busy_us) {
      // A transaction may end after the load.
      const double share = std::min(1.0, static_cast<double>(busy_us) / load_us);
      sum += share;
      ++connections;
      busy.connection_max = std::max(busy.connection_max.value_or(share), share);
      busy.connection_min = std::min(busy.connection_min.value_or(share), share);
    }
  }
  // Service times are those of commits alone: what was rolled back, or is under way, took its time as well.
  if (connections > 0) busy.connections = sum / connections;
}

/// `report` has the phase's figures and its backlog.
BusyReport PhaseFold::busy_report(const PhaseReport& report, const std::optional<LoadWindow>& window) const {
  BusyReport busy;
  busy.connections = connections_busy(report, facts_.settings);
  if (!window) return busy;
  look_at_connections(window->seconds() * kUsPerSec, busy);
  const double start = window->start_unix_us;
  if (const auto flushes = sample_share(flushes_seen_, start, window->end_unix_us)) {
    busy.flushes = *flushes / facts_.flush_concurrency_max.value_or(1);
  }
  // A pipe that has kept up for long must not hide what held it up in the end.
  const BacklogTrend& backlog = report.backlog;
  double since_sec = backlog.saturated_from_sec.value_or(0);
  if (backlog.standstill &&
      stall_sec(window->seconds(), backlog.standstill->to_the_end) <= backlog.standstill->seconds()) {
    since_sec = backlog.standstill->from_sec;
  }
  busy.flushes_full = sample_share(samples_full_, start + since_sec * kUsPerSec, window->end_unix_us);
  double cores = 0;
  for (const ProcessReport& process : report.processes) cores += process.cpu_share.value_or(0);
  if (facts_.settings.cpu_count > 0 && cores > 0) busy.cpus = cores / facts_.settings.cpu_count;
  const auto busy_cores = rise_share(machine_busy_us_, window->middle_unix_us(), window->end_unix_us);
  const auto all_cores = rise_share(machine_all_us_, window->middle_unix_us(), window->end_unix_us);
  if (busy_cores && all_cores.value_or(0) > 0) busy.machine = *busy_cores / *all_cores;
  for (const auto& [name, consumer] : consumers_) {
    const auto loop = rise_share(consumer.busy_us(), window->middle_unix_us(), window->end_unix_us);
    if (loop) busy.consumer_loop = std::max(busy.consumer_loop.value_or(0), *loop);
  }
  return busy;
}

BacklogTrend PhaseFold::backlog_trend(const std::optional<LoadWindow>& window,
                                      const Distribution& flush_ms) const {
  if (!window) return {};
  const double usual_ms =
      flush_ms.p50.value_or(0) + static_cast<double>(facts_.settings.consumer.flush_interval_ms);
  return backlog_trend_within({produced_curve(), acknowledged_curve(), run_acknowledged_curve()},
                              window->start_unix_us, window->end_unix_us, facts_.carry_over.lag_floor_sec,
                              usual_ms / kMsPerSec);
}

/// The least lag that this phase or an earlier one showed.
std::optional<double> PhaseFold::lag_floor_sec() const {
  const BacklogTrend backlog = backlog_trend(load_window(Outcome::passed), {});
  std::optional<double> least = facts_.carry_over.lag_floor_sec;
  for (const auto& lag_sec : {backlog.lag_early_sec, backlog.lag_return_sec}) {
    if (lag_sec) least = std::min(least.value_or(*lag_sec), *lag_sec);
  }
  return least;
}

}  // namespace walstorm::measure
