#pragma once

#include "orchestrator/clickhouse/features.h"
#include "orchestrator/clickhouse/session.h"
#include "orchestrator/config/config.h"
#include "proto/clickhouse/address.h"

/// A server as it stands: asked only, never changed.
namespace walstorm::clickhouse {

/// The server of clickhouse.url, which `settings` names, with no database: walstorm's own is
/// clickhouse.database, and one that is not there yet would have every statement refused. Throws
/// Error{config}, also when the URL names another database than that.
[[nodiscard]] Address server_address(const config::Clickhouse& settings);

[[nodiscard]] Features ask_features(Session& session);

}  // namespace walstorm::clickhouse
