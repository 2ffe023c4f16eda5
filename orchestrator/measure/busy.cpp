#include "orchestrator/measure/busy.h"

namespace walstorm::measure {
namespace {

/// Of so many servers, each of which does one thing at a time.
std::optional<double> busy_share(std::optional<double> mean_ms, double started, double seconds,
                                 double servers) {
  if (!mean_ms || seconds <= 0 || servers <= 0) return std::nullopt;
  return *mean_ms / 1000 * started / seconds / servers;
}

}  // namespace

double connections_of(const PipeSettings& settings) {
  return static_cast<double>(settings.producer.connections) * settings.producer.worker_count;
}

std::optional<double> connections_busy(const PhaseReport& phase, const PipeSettings& settings) {
  return busy_share(phase.producer.service_time_ms.mean, static_cast<double>(phase.producer.transactions),
                    phase.duration_sec, connections_of(settings));
}

std::optional<double> flushes_busy(const PhaseReport& phase, const PipeSettings& settings) {
  return busy_share(phase.consumer.flush_ms.mean, static_cast<double>(phase.consumer.batches),
                    phase.duration_sec, settings.consumer.max_flush_concurrency);
}

}  // namespace walstorm::measure
