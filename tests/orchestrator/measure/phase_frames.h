#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/measure/fold/phase_fold.h"
#include "proto/metrics.pb.h"
#include "tests/orchestrator/measure/simulated_pipe.h"

/// Frames of a phase that a test tells by hand: seconds count from kStartUnixUs.
namespace walstorm::measure::test {

inline constexpr std::int64_t kSecondUs = 1'000'000;

inline PhaseFacts facts_of(config::Load load, double duration_sec,
                           const std::vector<std::string>& producers = {"producer-0"}) {
  PhaseFacts facts;
  facts.phase = {.name = "p", .duration_sec = duration_sec, .load = load, .records = {}, .warmup = false};
  for (const auto& name : producers) facts.producers.push_back({name, {}});
  facts.consumers = {{"consumer-0", {}}};
  return facts;
}

inline proto::PhaseReady ready_at(std::int64_t at_unix_us) {
  proto::PhaseReady ready;
  ready.set_at_unix_us(at_unix_us);
  return ready;
}

template <typename Frame>
Frame producer_at(double sec, std::uint64_t inserts, const wire::Histogram& latency = {}) {
  Frame frame;
  frame.set_taken_unix_us(kStartUnixUs + std::llround(sec * 1e6));
  auto& stats = *frame.mutable_producer();
  stats.mutable_produced()->set_inserts(inserts);
  stats.set_load_started_unix_us(kStartUnixUs);
  latency.to_proto(*stats.mutable_write_latency_us());
  return frame;
}

template <typename Frame>
Frame consumer_at(double sec, std::uint64_t acknowledged, std::uint64_t run_acknowledged) {
  Frame frame;
  frame.set_taken_unix_us(kStartUnixUs + std::llround(sec * 1e6));
  auto& stats = *frame.mutable_consumer();
  stats.mutable_received()->set_inserts(acknowledged);
  stats.mutable_run_received()->set_inserts(run_acknowledged);
  stats.mutable_acknowledged()->set_inserts(acknowledged);
  stats.mutable_run_acknowledged()->set_inserts(run_acknowledged);
  return frame;
}

}  // namespace walstorm::measure::test
