#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/process/private_folder.h"
#include "proto/clickhouse/address.h"

namespace walstorm::clickhouse {

/// A ClickHouse server's program, and the arguments that make it one.
struct ServerProgram {
  std::filesystem::path path;
  std::vector<std::string> arguments;
};

/// `clickhouse-server`, else `clickhouse`, which is all of ClickHouse's programs in one: in PATH, or where
/// packages put them. Throws Error{unavailable} that says what to install.
[[nodiscard]] ServerProgram find_clickhouse_server();

/// A ClickHouse server for one run: in a temporary folder, on a free loopback port, gone with this object.
/// When walstorm is killed the kernel ends the server too, and the folder goes at the next start.
///
/// Its one user has a password of this run's own: the port is open to everyone on this machine, and a server
/// that answers to the password is this one and none that took the port meanwhile. A root's server runs as
/// "clickhouse" or, without one, "nobody".
class PrivateServer final {
 public:
  /// Makes and starts it. Its log goes to `log_file`. Throws Error{unavailable} saying what to install, or
  /// what the server said. `first_port`: tried before any other; 0: a free one.
  PrivateServer(process::EventLoop& loop, const std::filesystem::path& log_file,
                const ServerProgram& program = find_clickhouse_server(), std::uint16_t first_port = 0);
  PrivateServer(const PrivateServer&) = delete;
  PrivateServer& operator=(const PrivateServer&) = delete;
  /// stop(), if that was not done.
  ~PrivateServer();

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] pid_t pid() const { return server_->pid(); }
  /// How it ended, when it did so before it was told to; empty while it runs.
  [[nodiscard]] std::string failure() const;

  /// Ends the server at once (SIGKILL: its data is thrown away anyway) and removes the folder.
  void stop();

 private:
  void write_configuration() const;
  void give_folder_to_user() const;
  [[nodiscard]] bool launch(const ServerProgram& program);
  [[nodiscard]] bool answers();

  process::EventLoop& loop_;
  std::optional<process::UserId> user_;
  process::PrivateFolder folder_;
  std::filesystem::path log_file_;
  Address address_;
  std::string greeting_;  // what only this server answers GET / with
  std::unique_ptr<process::ChildProcess> server_;
};

}  // namespace walstorm::clickhouse
