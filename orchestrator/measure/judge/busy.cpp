#include "orchestrator/measure/judge/busy.h"

namespace walstorm::measure {
double connections_of(const PipeSettings& settings) {
  return static_cast<double>(settings.producer.connections) * settings.producer.worker_count;
}

std::optional<double> connections_busy(const PhaseReport& phase, const PipeSettings& settings) {
  const auto& service_ms = phase.producer.service_time_ms.mean;
  const double connection_sec = phase.duration_sec.value_or(0) * connections_of(settings);
  if (!service_ms || connection_sec <= 0) return std::nullopt;
  return *service_ms / 1000 * static_cast<double>(phase.producer.transactions) / connection_sec;
}

}  // namespace walstorm::measure
