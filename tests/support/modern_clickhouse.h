#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {

/// A ClickHouse of 2026 for one test: support/modern_clickhouse/server.js on a free loopback port, with its
/// tables in a folder of its own. What it is and is not stands in the README there. To walstorm it is the
/// user's server.
class ModernClickhouse final {
 public:
  /// Why there is none on this machine, for GTEST_SKIP; empty when there is.
  [[nodiscard]] static std::string missing();

  /// Started and listening. `time_zone` is the server's. `loop` outlives the server. Throws
  /// std::runtime_error with the end of its log when it does not start.
  explicit ModernClickhouse(process::EventLoop& loop, const std::string& time_zone = "Etc/UTC");
  ModernClickhouse(const ModernClickhouse&) = delete;
  ModernClickhouse& operator=(const ModernClickhouse&) = delete;
  /// stop(), if that was not done.
  ~ModernClickhouse();

  /// "http://127.0.0.1:41234"
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] pid_t pid() const { return server_->pid(); }

  /// Closes its stdin, at which it ends, and says how it did. Fails the test when it has to be killed.
  process::ExitStatus stop();

 private:
  /// The line that says on which port it listens.
  [[nodiscard]] std::string read_greeting() const;

  process::EventLoop& loop_;
  TemporaryFolder folder_;
  std::filesystem::path log_file_;
  std::unique_ptr<process::ChildProcess> server_;
  int stdin_fd_ = -1;
  int stdout_fd_ = -1;
  std::string url_;
};

}  // namespace walstorm::tests
