#include "orchestrator/run/setup_frames.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <variant>

#include "proto/wire/worker_session.h"

namespace walstorm::run {
namespace {

/// Samples are the resolution of rates, lag per second and the live view.
constexpr std::uint32_t kSampleIntervalMs = 1000;

proto::Setup& common_setup(proto::ControlFrame& frame, const config::Config& config, const SetupFacts& facts,
                           const std::string& worker) {
  proto::Setup& setup = *frame.mutable_setup();
  setup.set_protocol_version(wire::kProtocolVersion);
  setup.set_worker(worker);
  setup.set_run_id(facts.run_id);
  setup.set_watch_loop(config.profiling.doctor());
  return setup;
}

proto::WriteMode to_proto(config::WriteMode mode) {
  switch (mode) {
    case config::WriteMode::insert:
      return proto::WRITE_MODE_INSERT;
    case config::WriteMode::copy:
      return proto::WRITE_MODE_COPY;
    case config::WriteMode::unnest:
      return proto::WRITE_MODE_UNNEST;
    case config::WriteMode::prepared:
      return proto::WRITE_MODE_PREPARED;
  }
  return proto::WRITE_MODE_INSERT;
}

proto::AckPolicy to_proto(config::AckPolicy policy) {
  switch (policy) {
    case config::AckPolicy::after_flush:
      return proto::ACK_POLICY_AFTER_FLUSH;
    case config::AckPolicy::on_receive:
      return proto::ACK_POLICY_ON_RECEIVE;
    case config::AckPolicy::never:
      return proto::ACK_POLICY_NEVER;
  }
  return proto::ACK_POLICY_AFTER_FLUSH;
}

proto::Streaming to_proto(config::Streaming streaming) {
  switch (streaming) {
    case config::Streaming::off:
      return proto::STREAMING_OFF;
    case config::Streaming::on:
      return proto::STREAMING_ON;
    case config::Streaming::parallel:
      return proto::STREAMING_PARALLEL;
  }
  return proto::STREAMING_OFF;
}

}  // namespace

proto::ControlFrame producer_setup(const config::Config& config, const SetupFacts& facts, unsigned index) {
  proto::ControlFrame frame;
  proto::ProducerSetup& setup = *common_setup(frame, config, facts, producer_name(index)).mutable_producer();
  const config::Producer& producer = config.producer;
  setup.set_postgres(facts.conninfo);
  // A private server has them as its own settings already.
  for (const auto& [name, value] : config.database.settings) {
    if (facts.private_server) break;
    proto::Setting& setting = *setup.add_session_settings();
    setting.set_name(name);
    setting.set_value(value);
  }
  setup.set_seed(config.seed);
  setup.set_producer_index(index);
  setup.set_producer_count(producer.worker_count);
  setup.set_connections(producer.connections);
  setup.set_batch_size(producer.batch_size);
  setup.set_insert_update_ratio(producer.insert_update_ratio);
  setup.set_delete_ratio(producer.delete_ratio);
  setup.set_payload_bytes_mean(static_cast<std::uint64_t>(std::llround(producer.payload_size_kb * 1024)));
  setup.set_payload_entropy(producer.payload_entropy);
  setup.set_write_mode(to_proto(producer.write_mode));
  setup.set_live_rows_max(std::max<std::uint64_t>(1, producer.max_live_rows / producer.worker_count));
  setup.set_give_up_ms(static_cast<std::uint64_t>(config.database.give_up_sec * 1000));
  return frame;
}

proto::ControlFrame consumer_setup(const config::Config& config, const SetupFacts& facts,
                                   const target::Target& target, unsigned index) {
  proto::ControlFrame frame;
  proto::ConsumerSetup& setup = *common_setup(frame, config, facts, consumer_name(index)).mutable_consumer();
  const config::Consumer& consumer = config.consumer;
  setup.set_postgres(facts.conninfo);
  setup.set_slot_name(consumer.slot_name);
  setup.set_publication_name(consumer.publication_name);
  setup.set_wal_sender_timeout_ms(facts.wal_sender_timeout_ms);
  setup.set_binary(consumer.binary);
  setup.set_flush_batch_size(consumer.flush_batch_size);
  setup.set_flush_interval_ms(consumer.flush_interval_ms);
  setup.set_flush_concurrency_max(consumer.max_flush_concurrency);
  setup.set_buffered_bytes_max(config::buffered_bytes_max(consumer));
  setup.set_streamed_bytes_max(config::streamed_bytes_max(consumer));
  setup.set_ack_policy(to_proto(consumer.ack_policy));
  setup.set_proto_version(consumer.proto_version);
  setup.set_streaming(to_proto(consumer.streaming));
  setup.set_give_up_ms(static_cast<std::uint32_t>(config.database.give_up_sec * 1000));
  setup.set_sink_give_up_ms(static_cast<std::uint64_t>(config.clickhouse.give_up_sec * 1000));
  target.describe(setup);
  return frame;
}

proto::ControlFrame start_phase(const config::PhasePlan& phase) {
  proto::ControlFrame frame;
  proto::StartPhase& start = *frame.mutable_start_phase();
  start.set_phase_index(phase.wire_index);
  start.set_name(phase.name);
  start.set_duration_us(phase.duration_us);
  start.set_records_max(phase.records_max);
  start.set_sample_interval_ms(kSampleIntervalMs);
  if (phase.arrival == config::Arrival::poisson) start.set_arrival(proto::ARRIVAL_POISSON);
  if (const auto* constant = std::get_if<config::ConstantLoad>(&phase.load)) {
    start.set_constant_rate(constant->rate);
  } else if (const auto* ramp = std::get_if<config::RampLoad>(&phase.load)) {
    start.mutable_ramp()->set_from(ramp->from);
    start.mutable_ramp()->set_to(ramp->to);
  } else {
    start.mutable_max();
  }
  return frame;
}

proto::ControlFrame start_preload(const config::Phase& preload) {
  proto::ControlFrame frame;
  proto::StartPhase& start = *frame.mutable_start_phase();
  start.set_phase_index(0);
  start.set_name(preload.name);
  start.set_duration_us(static_cast<std::uint64_t>(preload.duration_sec * 1e6));
  start.set_records_max(*preload.records);
  start.set_preload(true);
  start.set_sample_interval_ms(kSampleIntervalMs);
  start.mutable_max();
  return frame;
}

proto::ControlFrame end_phase(unsigned phase_index, double drain_timeout_sec) {
  proto::ControlFrame frame;
  frame.mutable_end_phase()->set_phase_index(phase_index);
  frame.mutable_end_phase()->set_drain_timeout_ms(static_cast<std::uint64_t>(drain_timeout_sec * 1000));
  return frame;
}

}  // namespace walstorm::run
