#pragma once

#include <gmock/gmock.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/measure/judge/bottleneck.h"

/// Phases with the figures that blame is found by, made up.
namespace walstorm::measure::test {

inline PipeSettings settings() {
  PipeSettings settings;
  settings.producer.batch_size = 100;
  settings.producer.payload_size_kb = 1;
  settings.producer.connections = 4;
  settings.producer.worker_count = 1;
  settings.consumer.flush_batch_size = 50;
  settings.consumer.flush_interval_ms = 100;
  settings.consumer.max_flush_concurrency = 100;
  settings.consumer.max_buffered_mb = 64;
  settings.cpu_count = 2;
  return settings;
}

/// A phase of 60 s whose records waited longest in one of the three stages.
inline PhaseReport waiting_in(double receive_ms, double queue_ms, double flush_ms) {
  PhaseReport phase;
  phase.duration_sec = 60;
  phase.producer.records = 300'000;
  phase.producer.transactions = 3000;
  phase.consumer.records = phase.consumer.batches = 6000;
  phase.consumer.bytes = 100'000'000;
  phase.consumer.receive_ms.mean = receive_ms;
  phase.consumer.queue_ms.mean = queue_ms;
  phase.consumer.flush_ms.mean = phase.consumer.flush_ms.p2_5 = phase.consumer.flush_ms.p50 = flush_ms;
  phase.consumer.records_per_flush = 50;
  phase.consumer.loop_utilization_mean = 0.2;
  return phase;
}

/// The phase with a consumer's loop and a walsender that were so busy.
inline PhaseReport busy(PhaseReport phase, double loop, double walsender) {
  const auto process = [](const char* role, double share) {
    ProcessReport made;
    made.role = role;
    made.cpu_share = share;
    made.cpu_wait_share = 0;
    return made;
  };
  phase.processes = {process("producer-0", 0.3), process("consumer-0", loop),
                     process("postgres-walsender", walsender)};
  phase.busy = {.consumer_loop = loop,
                .connections = connections_busy(phase, settings()),
                .flushes = 0.4,
                .flushes_full = 0,
                .cpus = 0.5};
  return phase;
}

/// ... and every flush allowed under way.
inline PhaseReport full_sink(PhaseReport phase, double loop = 0.3) {
  phase = busy(std::move(phase), loop, 0.4);
  phase.busy.flushes_full = 0.9;
  return phase;
}

inline void set_cpu(PhaseReport& phase, const std::string& role, std::optional<double> share,
                    std::optional<double> wait_share) {
  for (ProcessReport& process : phase.processes) {
    if (process.role != role) continue;
    process.cpu_share = share;
    process.cpu_wait_share = wait_share;
  }
}

inline ::testing::Matcher<const std::vector<Evidence>&> has_figure(const std::string& figure) {
  return ::testing::Contains(::testing::Field(&Evidence::figure, figure));
}

}  // namespace walstorm::measure::test
