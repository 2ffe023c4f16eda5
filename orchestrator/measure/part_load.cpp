#include "orchestrator/measure/part_load.h"

#include <algorithm>
#include <vector>

#include "orchestrator/measure/phase_fold.h"

/// What PhaseFold knows of the pipe beyond the report: who was busy, and how the records went through it.
namespace walstorm::measure {
namespace {

constexpr double kMsPerSec = 1000;

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

PartLoad PhaseFold::part_load(const std::optional<LoadWindow>& window) const {
  PartLoad load;
  if (facts_.flush_concurrency_max && flush_samples_ > 0) {
    load.flushes_full_share = static_cast<double>(flush_full_) / static_cast<double>(flush_samples_);
  }
  if (!window) return load;
  const double from = window->middle_unix_us();
  const double to = window->end_unix_us;
  for (const WorkerFacts& producer : facts_.producers) {
    const CpuLoad cpu = usage_.at(producer.name).cpu_load(from, to);
    if (cpu.share.value_or(-1) > load.producer.share.value_or(-1)) load.producer = cpu;
  }
  for (const WorkerFacts& consumer : facts_.consumers) {
    const CpuLoad cpu = usage_.at(consumer.name).cpu_load(from, to);
    if (cpu.share.value_or(-1) > load.consumer.share.value_or(-1)) load.consumer = cpu;
    const auto loop = rise_share(consumers_.at(consumer.name).busy_us(), from, to);
    if (loop) load.consumer_loop_share = std::max(load.consumer_loop_share.value_or(0), *loop);
  }
  load.walsender = usage_.at("postgres-walsender").cpu_load(from, to);
  load.backends = usage_.at("postgres-backends").cpu_load(from, to);
  if (facts_.own_clickhouse) load.clickhouse = usage_.at("clickhouse").cpu_load(from, to);
  return load;
}

PipeCourse PhaseFold::pipe_course(const std::optional<LoadWindow>& window,
                                  const Distribution& flush_ms) const {
  if (!window) return {};
  const double usual_ms =
      flush_ms.p50.value_or(0) + static_cast<double>(facts_.settings.consumer.flush_interval_ms);
  return course_within({produced_curve(), acknowledged_curve(), run_acknowledged_curve()},
                       window->start_unix_us, window->end_unix_us, facts_.carry.lag_floor_sec,
                       usual_ms / kMsPerSec);
}

/// The least lag that this phase or an earlier one showed.
std::optional<double> PhaseFold::lag_floor_sec() const {
  const PipeCourse course = pipe_course(load_window(Outcome::passed), {});
  std::optional<double> least = facts_.carry.lag_floor_sec;
  for (const auto& lag_sec : {course.lag_early_sec, course.lag_return_sec}) {
    if (lag_sec) least = std::min(least.value_or(*lag_sec), *lag_sec);
  }
  return least;
}

}  // namespace walstorm::measure
