#pragma once

#include <string>

#include "orchestrator/process/event_loop.h"
#include "proto/clickhouse/http_client.h"

namespace walstorm::tests {

/// What the server at `url` says to a statement, with a deadline.
[[nodiscard]] clickhouse::Answer answer_of(process::EventLoop& loop, const std::string& url,
                                           clickhouse::Statement statement);

/// What it returns, without the last line's end. Fails the test when it is refused.
std::string ask_clickhouse(process::EventLoop& loop, const std::string& url, const std::string& sql);

}  // namespace walstorm::tests
