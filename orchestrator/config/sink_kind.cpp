#include "orchestrator/config/sink_kind.h"

namespace walstorm::config {

SinkKind sink_kind(const Config& config) {
  if (config.consumer.use_mock_clickhouse) return SinkKind::mock;
  if (config.clickhouse.url) return SinkKind::named_clickhouse;
  return config.clickhouse.is_private ? SinkKind::private_clickhouse : SinkKind::unnamed;
}

}  // namespace walstorm::config
