#pragma once

#include "orchestrator/config/config.h"

namespace walstorm::config {

/// What a run's rows land in.
enum class SinkKind {
  mock,
  named_clickhouse,
  private_clickhouse,
  unnamed,  ///< neither a server nor the mock: `walstorm check` says what to do
};

[[nodiscard]] SinkKind sink_kind(const Config& config);

}  // namespace walstorm::config
