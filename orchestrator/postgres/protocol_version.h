#pragma once

#include "orchestrator/config/config.h"
#include "orchestrator/postgres/replication_setup.h"

namespace walstorm::postgres {

/// Throws Error{unavailable} that says what to change when the server is too old for the version of pgoutput
/// that the consumer is to ask for.
void require_protocol(const ServerFacts& server, const config::Consumer& consumer);

}  // namespace walstorm::postgres
