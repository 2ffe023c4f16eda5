#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/postgres/address/address.h"
#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/process/private_folder.h"

namespace walstorm::postgres {

/// The folder with initdb and postgres: the newest of Debian's /usr/lib/postgresql/*/bin, else where PATH has
/// postgres. Throws Error{unavailable} that says what to install.
[[nodiscard]] std::filesystem::path find_postgres_binaries();

/// A PostgreSQL server for one run: in a temporary folder, on a unix socket alone, with wal_level=logical;
/// gone with this object. When walstorm is killed the kernel ends the server too, and the folder goes at the
/// next start.
///
/// initdb and postgres refuse to run as root, so a root's server runs as "postgres" or, without one,
/// "nobody".
class PrivateServer final {
 public:
  /// Makes and starts it from the programs in `binaries`; `settings` are GUCs of the server, stronger than
  /// walstorm's own. Its log goes to `log_file`. Throws Error{unavailable} saying what to install, or what
  /// the server said, and process::Interrupted.
  PrivateServer(process::EventLoop& loop, const std::map<std::string, std::string>& settings,
                const std::filesystem::path& log_file,
                const std::filesystem::path& binaries = find_postgres_binaries());
  PrivateServer(const PrivateServer&) = delete;
  PrivateServer& operator=(const PrivateServer&) = delete;
  /// stop(), if that was not done.
  ~PrivateServer();

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  /// How it ended, when it did so before it was told to; empty while it runs.
  [[nodiscard]] std::string failure() const;

  /// Ends the server at once (SIGQUIT: its data is thrown away anyway) and removes the folder.
  void stop();

 private:
  void initialise(const std::filesystem::path& bin, const std::filesystem::path& log_file);
  void launch(const std::filesystem::path& bin, const std::map<std::string, std::string>& settings,
              const std::filesystem::path& log_file);

  process::EventLoop& loop_;
  std::optional<process::UserId> user_;
  process::PrivateFolder folder_;
  std::filesystem::path log_file_;
  Address address_;
  std::unique_ptr<process::ChildProcess> server_;
};

}  // namespace walstorm::postgres
