#pragma once

#include <memory>
#include <string>

#include "orchestrator/clickhouse/private_server.h"
#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {

/// A ClickHouse of a test's own that can be stopped and started again on the same data and port, as a
/// person's would be. To walstorm it is the user's server.
class RestartableClickhouse final {
 public:
  /// Running. `loop` outlives the server.
  explicit RestartableClickhouse(process::EventLoop& loop);

  /// At once (SIGKILL); returns when it is gone.
  void stop();
  /// Does not wait until it answers.
  void start();

  /// With its password.
  [[nodiscard]] std::string url() const;

 private:
  process::EventLoop& loop_;
  TemporaryFolder logs_;
  clickhouse::PrivateServer server_;
  std::unique_ptr<process::ChildProcess> again_;  // after a stop
};

}  // namespace walstorm::tests
