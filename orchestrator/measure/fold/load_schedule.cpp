#include "orchestrator/measure/fold/load_schedule.h"

#include <algorithm>
#include <cmath>

namespace walstorm::measure {
namespace {

/// A constant load is a ramp between equal rates.
std::optional<config::RampLoad> as_ramp(const config::Load& load) {
  if (const auto* constant = std::get_if<config::ConstantLoad>(&load)) {
    return config::RampLoad{constant->rate, constant->rate};
  }
  if (const auto* ramp = std::get_if<config::RampLoad>(&load)) return *ramp;
  return std::nullopt;
}

}  // namespace

std::optional<double> records_due(const config::Load& load, double duration_sec, double elapsed_sec) {
  const auto ramp = as_ramp(load);
  if (!ramp || duration_sec <= 0) return std::nullopt;
  const double elapsed = std::clamp(elapsed_sec, 0.0, duration_sec);
  return elapsed * (ramp->from + (ramp->to - ramp->from) * elapsed / (2 * duration_sec));
}

std::optional<double> schedule_sec(const config::Phase& phase) {
  const auto ramp = as_ramp(phase.load);
  if (!ramp) return std::nullopt;
  if (!phase.records) return phase.duration_sec;
  // from * t + (to - from) / (2 * duration) * t^2 = records, solved in the form that also takes to == from.
  const auto records = static_cast<double>(*phase.records);
  const double curvature = (ramp->to - ramp->from) / (2 * phase.duration_sec);
  const double discriminant = ramp->from * ramp->from + 4 * curvature * records;
  if (discriminant < 0) return phase.duration_sec;
  const double divisor = ramp->from + std::sqrt(discriminant);
  if (divisor <= 0) return phase.duration_sec;
  return std::min(phase.duration_sec, 2 * records / divisor);
}

}  // namespace walstorm::measure
