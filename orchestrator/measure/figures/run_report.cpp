#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::thresholds_crossed:
      return "thresholds-crossed";
    case Outcome::interrupted:
      return "interrupted";
  }
  return "failed";
}

const char* to_string(VerdictState state) {
  switch (state) {
    case VerdictState::sustained:
      return "sustained";
    case VerdictState::marginal:
      return "marginal";
    case VerdictState::falling_behind:
      return "falling-behind";
    case VerdictState::stalled:
      return "stalled";
    case VerdictState::generator_limited:
      return "generator-limited";
    case VerdictState::failed:
      return "failed";
  }
  return "failed";
}

const char* to_string(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::none:
      return "none";
    case Bottleneck::producer:
      return "producer";
    case Bottleneck::postgres_write:
      return "postgres-write";
    case Bottleneck::walsender:
      return "walsender";
    case Bottleneck::consumer_cpu:
      return "consumer-cpu";
    case Bottleneck::sink:
      return "sink";
    case Bottleneck::network:
      return "network";
    case Bottleneck::unknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace walstorm::measure
