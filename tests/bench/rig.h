#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <pqxx/connection>

#include "orchestrator/config/config.h"
#include "orchestrator/postgres/private_server.h"
#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "tests/bench/observed_worker.h"
#include "tests/bench/paired.h"
#include "tests/support/temporary_folder.h"

namespace walstorm::bench {

/// A command line for Rig::run.
struct Command {
  std::filesystem::path program;  ///< a bare "psql" is of the private server's version
  std::vector<std::string> arguments;
};

/// How the programs reach the server.
enum class Transport { unix_socket, tcp };

/// A private PostgreSQL server, and the programs that are measured against it. Every wait has a deadline;
/// what goes wrong is an Error, which ends the bench.
class Rig final {
 public:
  /// `settings` are GUCs of the server, beside those that keep checkpoints out of the measured time. With
  /// Transport::tcp it listens on 127.0.0.1 as well, at a port of its own, and everybody connects there.
  explicit Rig(std::map<std::string, std::string> settings, Transport transport = Transport::unix_socket);

  void execute(const std::string& sql);
  [[nodiscard]] std::string ask(const std::string& sql);
  [[nodiscard]] std::string conninfo() const { return conninfo_of("walstorm-bench"); }
  /// As a run's worker connects: the sampler knows it by its name.
  [[nodiscard]] std::string worker_conninfo(const std::string& worker) const {
    return conninfo_of("walstorm-" + worker);
  }
  /// Where the server listens: a folder with its socket, or an address and a port.
  [[nodiscard]] std::string host() const;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// For scripts; goes with the rig.
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  /// An empty "TaskRun" and its publication, `publication`.
  void make_task_run(const std::string& publication);

  /// Waits for the slot's reader to be gone, or ends it.
  void drop_slot(const std::string& slot);

  /// A config with these keys in place of the defaults: {"producer.batchSize", "100"}.
  [[nodiscard]] static config::Config config(const std::map<std::string, std::string>& keys);

  /// A worker that is connected and has its setup; its phases are config's first one, over and over.
  [[nodiscard]] std::unique_ptr<ObservedWorker> start_producer(const config::Config& config);
  [[nodiscard]] std::unique_ptr<ObservedWorker> start_consumer(const config::Config& config);

  /// Writes config's first phase with one producer, from its start to its result.
  [[nodiscard]] Take produce(const config::Config& config);

  /// Drains the backlog in config's slot with the real consumer, from its start until the sink has
  /// acknowledged everything before the marker of phase 0 of run kRunId.
  [[nodiscard]] Take drain(const config::Config& config);

  /// Runs all of them at once; `records` is what they do together.
  [[nodiscard]] Take run(const std::vector<Command>& commands, std::uint64_t records);

  static constexpr const char* kRunId = "bench";

 private:
  [[nodiscard]] std::string conninfo_of(const std::string& application) const;

  process::EventLoop loop_;
  tests::TemporaryFolder folder_;
  Transport transport_;
  std::uint16_t port_;
  postgres::PrivateServer server_;
  pqxx::connection connection_;
};

}  // namespace walstorm::bench
