#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::tests {

/// Where PgBouncer is; nullopt where it is not installed.
[[nodiscard]] std::optional<std::filesystem::path> find_pgbouncer();

/// A PgBouncer before the PostgreSQL whose socket is in a folder, as user "walstorm" of both.
class Pooler final {
 public:
  /// `mode`: session, transaction or statement. Throws when it does not come up.
  Pooler(process::EventLoop& loop, const std::filesystem::path& program, const std::string& mode,
         const std::filesystem::path& server_socket_folder);
  ~Pooler();

  /// Of the database "postgres" behind it; parameters may be added with &.
  [[nodiscard]] std::string url() const;

 private:
  process::EventLoop& loop_;
  TemporaryFolder folder_;
  std::unique_ptr<process::ChildProcess> child_;
};

}  // namespace walstorm::tests
