#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "orchestrator/clickhouse/private_server.h"
#include "orchestrator/config/config.h"
#include "orchestrator/postgres/private_server.h"
#include "orchestrator/process/event_loop.h"

namespace walstorm::trial {

/// Of `wanted`, PostgreSQL's settings by name, those that a server started with `has` does not have already.
[[nodiscard]] std::map<std::string, std::string> settings_beyond(
    const std::map<std::string, std::string>& has, const std::map<std::string, std::string>& wanted);

/// The private servers of a command that makes many runs: started once and handed to each run as if they were
/// the user's, so that trials differ in what is tried and not in a fresh server. Gone with this object.
class SharedServers final {
 public:
  /// Starts those that `config` wants private; they log into `log_dir`. Throws Error{unavailable}.
  SharedServers(process::EventLoop& loop, const config::Config& config, const std::filesystem::path& log_dir);

  /// `config` with these servers in place of private ones; one that a cell names stands. Of its PostgreSQL
  /// settings those stay that the server was not started with: as on a user's server the writing sessions set
  /// them, and a run fails where PostgreSQL does not let a session do that.
  [[nodiscard]] config::Config against(config::Config config) const;

  /// Throws away what a run has left in a private ClickHouse; PostgreSQL's table is emptied by the next run.
  /// The user's own servers keep theirs.
  void discard_leftovers();

  /// Starts those anew that have ended: what ended them is the last trial's, not the next one's. Throws
  /// Error{unavailable}.
  void replace_dead();

  /// Why a private server is gone; empty while all run.
  [[nodiscard]] std::string failure() const;

 private:
  void start_postgres();
  void start_clickhouse();

  process::EventLoop& loop_;
  const std::filesystem::path log_dir_;
  std::string clickhouse_database_;
  std::map<std::string, std::string> settings_;  // that PostgreSQL was started with
  std::unique_ptr<postgres::PrivateServer> postgres_;
  std::unique_ptr<clickhouse::PrivateServer> clickhouse_;
};

}  // namespace walstorm::trial
