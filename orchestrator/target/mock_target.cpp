#include "orchestrator/target/mock_target.h"

namespace walstorm::target {
namespace {

/// Every server that the mock stands for reads all formats.
proto::InsertFormat to_proto(config::InsertFormat format) {
  switch (format) {
    case config::InsertFormat::native:
      return proto::INSERT_FORMAT_NATIVE;
    case config::InsertFormat::row_binary:
      return proto::INSERT_FORMAT_ROW_BINARY;
    case config::InsertFormat::json_compact_each_row:
      return proto::INSERT_FORMAT_JSON_COMPACT_EACH_ROW;
  }
  return proto::INSERT_FORMAT_NATIVE;
}

/// Every server that the mock stands for takes lz4.
proto::Compression to_proto(config::Compression compression) {
  switch (compression) {
    case config::Compression::none:
      return proto::COMPRESSION_NONE;
    case config::Compression::automatic:
    case config::Compression::lz4:
      return proto::COMPRESSION_LZ4;
    case config::Compression::zstd:
      return proto::COMPRESSION_ZSTD;
    case config::Compression::gzip:
      return proto::COMPRESSION_GZIP;
  }
  return proto::COMPRESSION_NONE;
}

}  // namespace

void MockTarget::describe(proto::ConsumerSetup& setup) const {
  const config::Consumer& consumer = config_.consumer;
  setup.set_insert_format(to_proto(consumer.insert_format));
  setup.set_compression(to_proto(consumer.compression));
  proto::MockSinkSetup& mock = *setup.mutable_mock();
  mock.set_delay_ms(consumer.mock_clickhouse_delay_ms);
  mock.set_records_per_sec_max(consumer.mock.max_records_per_sec);
  mock.set_jitter_ms(consumer.mock.jitter_ms);
  mock.set_error_rate(consumer.mock.error_rate);
  for (const config::Stall& stall : consumer.mock.stalls) {
    proto::MockStall& added = *mock.add_stalls();
    added.set_at_sec(stall.at_sec);
    added.set_duration_sec(stall.duration_sec);
  }
  mock.set_seed(config_.seed);
}

}  // namespace walstorm::target
