#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/clickhouse/private_server.h"
#include "orchestrator/process/event_loop.h"
#include "proto/wire/error.h"

namespace walstorm::tests {

/// Whether this machine has a ClickHouse server; not every distribution does (Debian 13 has none).
inline bool has_clickhouse() {
  try {
    (void)clickhouse::find_clickhouse_server();
    return true;
  } catch (const wire::Error&) {
    return false;
  }
}

/// Turns the loop until `condition` holds; false when it does not within `timeout`.
inline bool comes_true(process::EventLoop& loop, std::chrono::milliseconds timeout,
                       const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    (void)loop.wait(std::chrono::milliseconds(20), 0, [] { return false; });
  }
  return condition();
}

/// Whether no such process runs any more; one that nobody has waited for is gone too.
inline bool is_gone(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(in, stat);
  const auto after = stat.rfind(") ");
  return after == std::string::npos || stat[after + 2] == 'Z';
}

}  // namespace walstorm::tests

#define SKIP_WITHOUT_CLICKHOUSE()         \
  if (!walstorm::tests::has_clickhouse()) \
  GTEST_SKIP()                            \
      << "no ClickHouse on this machine: apt-get install clickhouse-server, where the distribution has it"
