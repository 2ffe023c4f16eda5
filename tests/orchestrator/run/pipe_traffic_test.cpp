// How much a worker's metrics can weigh on its pipe, whatever the rate.

#include <gtest/gtest.h>
#include <string>

#include "orchestrator/run/setup_frames.h"
#include "proto/metrics.pb.h"
#include "proto/wire/histogram.h"

namespace walstorm::run {
namespace {

constexpr double kBytesPerSecMax = 100'000;

/// The largest a histogram can get: every bucket of proto/histogram.proto's layout used, each as often as
/// takes as many bytes to write as a day at 200,000 records a second would in the most crowded one of them,
/// were they spread evenly.
void fill(proto::Histogram& out) {
  constexpr std::uint64_t kTimes = (std::uint64_t{1} << 28U) - 1;
  wire::Histogram histogram;
  for (std::int64_t value = 0; value < 256; ++value) histogram.record(value, kTimes);
  for (unsigned power = 8; power < 42; ++power) {
    for (std::int64_t part = 128; part < 256; ++part) histogram.record(part << (power - 7U), kTimes);
  }
  histogram.to_proto(out);
}

void fill(proto::ProcessUsage& usage) {
  usage.set_cpu_user_us(UINT64_MAX);
  usage.set_cpu_system_us(UINT64_MAX);
  usage.set_rss_bytes(UINT64_MAX);
  usage.set_rss_max_bytes(UINT64_MAX);
  usage.set_heap_bytes(UINT64_MAX);
  usage.set_context_switches(UINT64_MAX);
}

/// Every number of a message at its longest, tallies and histograms included.
void fill_numbers(google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  const auto* descriptor = message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field->is_repeated()) continue;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(&message, field, UINT64_MAX);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(&message, field, -1);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(&message, field, UINT32_MAX);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(&message, field, true);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        auto& part = *reflection->MutableMessage(&message, field);
        if (auto* histogram = dynamic_cast<proto::Histogram*>(&part)) {
          fill(*histogram);
        } else {
          fill_numbers(part);
        }
        break;
      }
      default:
        break;
    }
  }
}

/// A Sample in which nothing could be longer.
proto::MetricsFrame largest_sample() {
  proto::MetricsFrame frame;
  proto::Sample& sample = *frame.mutable_sample();
  sample.set_sequence(UINT64_MAX);
  sample.set_phase_index(UINT32_MAX);
  sample.set_taken_unix_us(-1);
  fill(*sample.mutable_usage());
  return frame;
}

double samples_per_sec() {
  return 1000.0 / start_phase({}).start_phase().sample_interval_ms();
}

TEST(PipeTraffic, OfAConsumerStaysBelow100KilobytesASecondAtAnyRate) {
  proto::MetricsFrame frame = largest_sample();
  proto::ConsumerStats& stats = *frame.mutable_sample()->mutable_consumer();
  fill_numbers(stats);
  // An outage's sentence quotes the server, as does the last failed flush.
  for (int i = 0; i < 6; ++i) stats.add_outages(std::string(500, 'x'));
  stats.set_flush_error_last(std::string(1000, 'x'));
  const double rate = samples_per_sec();
  EXPECT_GT(rate, 0);
  EXPECT_LT(static_cast<double>(frame.ByteSizeLong()) * rate, kBytesPerSecMax);
  EXPECT_GT(frame.ByteSizeLong(), 80'000U) << "the histograms are not as full as they can get";
}

TEST(PipeTraffic, OfAProducerStaysBelow100KilobytesASecondAtAnyRate) {
  proto::MetricsFrame frame = largest_sample();
  proto::ProducerStats& stats = *frame.mutable_sample()->mutable_producer();
  fill_numbers(stats);
  // As a producer's Sample has them (producer/producer_worker.cpp).
  for (proto::Histogram* ages : {stats.mutable_not_started_us(), stats.mutable_pending_us()})
    wire::Histogram::from_proto(*ages).coarser().to_proto(*ages);
  const double rate = samples_per_sec();
  EXPECT_GT(rate, 0);
  EXPECT_LT(static_cast<double>(frame.ByteSizeLong()) * rate, kBytesPerSecMax);
  EXPECT_GT(frame.ByteSizeLong(), 60'000U) << "the histograms are not as full as they can get";
}

}  // namespace
}  // namespace walstorm::run
