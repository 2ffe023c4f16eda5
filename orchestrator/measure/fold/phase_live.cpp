#include <algorithm>

#include "orchestrator/measure/fold/censor.h"
#include "orchestrator/measure/fold/load_schedule.h"
#include "orchestrator/measure/fold/phase_fold.h"

/// The third part of PhaseFold: what can be told of a phase while it runs.
namespace walstorm::measure {

std::optional<PipeTotals> PhaseFold::counted() const {
  const auto started = load_started();
  if (!started || producers_.empty() || consumers_.empty()) return std::nullopt;
  std::optional<std::int64_t> known_until;
  const auto known_to = [&known_until](std::int64_t at_unix_us) {
    known_until = std::min(known_until.value_or(at_unix_us), at_unix_us);
  };
  for (const auto& [name, producer] : producers_) {
    const auto& points = producer.produced().points();
    known_to(points.empty() ? 0 : points.back().at_unix_us);
  }
  for (const auto& [name, consumer] : consumers_) known_to(consumer.taken_unix_us());
  if (*known_until <= *started) return std::nullopt;
  PipeTotals now = totals();
  now.at_unix_us = *known_until;
  return now;
}

PhaseReport PhaseFold::so_far() const {
  PipeTotals start;
  start.at_unix_us = load_started().value_or(0);
  return since(start);
}

PhaseReport PhaseFold::since(const PipeTotals& start) const {
  const auto now = counted();
  if (!now) return figures({}, std::nullopt, std::nullopt);
  PipeTotals stretch = now->since(start);
  std::int64_t read_unix_us = 0;
  for (const auto& [name, consumer] : consumers_) {
    read_unix_us = std::max(read_unix_us, consumer.taken_unix_us());
  }
  add_waiting(produced_curve(), now->consumer.acknowledged, read_unix_us, stretch.consumer.lag_us);
  add_waiting_batches(stretch.producer);
  const LoadWindow window{static_cast<double>(start.at_unix_us), static_cast<double>(now->at_unix_us), 1,
                          true};
  return figures(stretch, window, records_due_within(window));
}

/// As add_waiting() does with the lag: what is due and not committed by now, where it has waited for longer
/// than any took that was.
void PhaseFold::add_waiting_batches(ProducerTotals& stretch) const {
  wire::Histogram not_started_us;
  wire::Histogram pending_us;
  for (const auto& [name, producer] : producers_) {
    not_started_us.merge(producer.totals().not_started_us);
    pending_us.merge(producer.totals().pending_us);
  }
  stretch.schedule_lag_us.merge(not_started_us.above(stretch.schedule_lag_us.max().value_or(0)));
  const double longest_us = stretch.write_latency_us.max().value_or(0);
  stretch.write_latency_us.merge(not_started_us.above(longest_us));
  stretch.write_latency_us.merge(pending_us.above(longest_us));
}

std::optional<double> PhaseFold::records_due_within(const LoadWindow& window) const {
  const auto due_at = [&](double at_unix_us) -> std::optional<double> {
    const double elapsed_sec = (at_unix_us - static_cast<double>(load_started().value_or(0))) / 1e6;
    const auto due = records_due(facts_.phase.load, facts_.phase.duration_sec, elapsed_sec);
    if (!due || !facts_.expected_records) return std::nullopt;
    return std::min(*due, static_cast<double>(*facts_.expected_records));
  };
  const auto from = due_at(window.start_unix_us);
  const auto to = due_at(window.end_unix_us);
  return from && to ? std::optional(*to - *from) : std::nullopt;
}

}  // namespace walstorm::measure
