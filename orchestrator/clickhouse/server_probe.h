#pragma once

#include <string>

#include "orchestrator/clickhouse/features.h"
#include "orchestrator/clickhouse/session.h"
#include "proto/clickhouse/address.h"

/// A server as it stands: asked only, never changed.
namespace walstorm::clickhouse {

/// The server of clickhouse.url. A database that the URL names is left aside: walstorm's own is
/// clickhouse.database, and one that is not there yet would have every statement refused. Throws
/// Error{config}.
[[nodiscard]] Address server_address(const std::string& url);

[[nodiscard]] Features ask_features(Session& session);

}  // namespace walstorm::clickhouse
