#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "orchestrator/postgres/address/address.h"
#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {

/// A PostgreSQL of a test's own that can be stopped and started again on the same data, as a person's would
/// be. To walstorm it is the user's server.
class RestartableServer final {
 public:
  /// Initialised and running, its databases in `encoding`. `loop` outlives the server.
  explicit RestartableServer(process::EventLoop& loop, std::map<std::string, std::string> settings = {},
                             const std::string& encoding = "UTF8");
  ~RestartableServer();

  /// SIGINT: a fast shutdown, SIGQUIT: an immediate one, after which the server recovers as from a crash.
  void stop(int signal);
  /// Starts without waiting for connections to be accepted.
  void start();
  void wait_until_ready();

  [[nodiscard]] const postgres::Address& address() const { return address_; }
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::filesystem::path socket_folder() const { return folder_.path() / "server"; }
  [[nodiscard]] std::string log() const;

 private:
  process::EventLoop& loop_;
  const std::map<std::string, std::string> settings_;
  TemporaryFolder folder_;
  std::optional<process::UserId> user_;
  postgres::Address address_;
  std::unique_ptr<process::ChildProcess> server_;
};

}  // namespace walstorm::tests
