#pragma once

#include <chrono>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/measure/ledger/row_text.h"
#include "orchestrator/postgres/address/address.h"
#include "orchestrator/postgres/private_server.h"
#include "orchestrator/postgres/replication_setup.h"
#include "orchestrator/postgres/schema_copy.h"
#include "orchestrator/postgres/session.h"
#include "orchestrator/process/event_loop.h"
#include "proto/wire/change_tally.h"

namespace walstorm::postgres {

/// The database in which walstorm asks and creates: the one that the URL names, else "postgres". Throws
/// Error{config} when that is the profiling database, which is emptied and dropped.
[[nodiscard]] std::string home_database(const Address& address, const config::Database& settings);

/// The profiling database of one run, ready to be written to and read from: on a private server or the
/// user's, with an empty "TaskRun", its publication and its slot. Leaves the server clean on every way out.
class PreparedDatabase final {
 public:
  /// Does it all, step by step; interruptible. What the user should know goes to `notes`. Private servers log
  /// into `log_dir`. Throws Error{unavailable or config} that names the step and what to do; nothing is left
  /// behind then.
  PreparedDatabase(process::EventLoop& loop, const config::Config& config,
                   const std::filesystem::path& log_dir, std::vector<std::string>& notes);
  PreparedDatabase(const PreparedDatabase&) = delete;
  PreparedDatabase& operator=(const PreparedDatabase&) = delete;
  /// release(), if that was not done.
  ~PreparedDatabase();

  [[nodiscard]] const ServerFacts& facts() const { return facts_; }
  /// For a worker or session: a libpq connection string to this database. Holds the password.
  [[nodiscard]] std::string conninfo(const std::string& application_name) const;
  [[nodiscard]] bool on_private_server() const { return server_ != nullptr; }
  /// Where the server keeps its data, if that is on this machine and known.
  [[nodiscard]] const std::optional<std::filesystem::path>& data_folder() const { return data_folder_; }
  /// Why the private server is gone; empty while it runs, and for a server that is not ours.
  [[nodiscard]] std::string server_failure() const { return server_ ? server_->failure() : ""; }

  /// Writes a phase's end marker (replication_setup.h); `done` follows on the loop, with what went wrong or
  /// nullptr. A server that is lost is waited for. If the answer to the COMMIT is lost, the marker is written
  /// twice: no change lies between the two, as the load has ended, and readers pass over the second.
  void emit_marker(const std::string& content, std::function<void(std::exception_ptr)> done);
  /// How long that may take.
  [[nodiscard]] std::chrono::milliseconds marker_timeout() const;

  /// PostgreSQL is there again after an outage: takes up the connection that holds the run's lock.
  void hold();
  /// After a failure: which of the run's sessions wait at the server for others (a lock, a synchronous
  /// standby), and what to do about it; empty when none does, or the server cannot be asked. Turns the loop.
  [[nodiscard]] std::string waits_of_sessions() const;

  /// The run has failed: no server is waited for any more.
  void give_up() { session_->give_up(); }

  /// Waits with a deadline, and for an answer only as long as a person does. See replication_setup.h.
  [[nodiscard]] wire::RowTally tally_rows(std::uint64_t rows_expected, int interrupts_tolerated);

  /// The rows with these ids, by id; those that are not there are left out. As tally_rows().
  [[nodiscard]] measure::RowTexts read_rows(const std::vector<std::string>& ids, int interrupts_tolerated);

  /// Drops the slot (the workers have to be gone, or their walsender is ended), and the database unless it is
  /// kept; ends a private server. Touches neither when another run has taken the database since this one lost
  /// it. Returns what could not be cleaned up, and how to.
  std::vector<std::string> release();

 private:
  void prepare(const config::Config& config, std::vector<std::string>& notes);
  void inspect(Session& at_home, const config::Config& config, std::vector<std::string>& notes);
  [[nodiscard]] std::unique_ptr<Session> own_session();
  void take_database(std::vector<std::string>& notes);
  void make_anew(Session& at_home);
  void copy_schema(Session& at_home, std::vector<std::string>& notes);
  [[nodiscard]] std::vector<std::string> drop_slot_and_database();
  void discard_new_database();

  process::EventLoop& loop_;
  const config::Database settings_;
  const std::string slot_;
  const std::string own_application_;  // application_name of the sessions that hold the run's lock
  std::unique_ptr<PrivateServer> server_;
  Address address_;
  std::string home_;                  // the database to which the URL leads
  std::optional<DatabaseAt> source_;  // of a copied schema
  std::optional<std::filesystem::path> data_folder_;
  ServerFacts facts_;
  std::unique_ptr<Session> session_;
  bool created_ = false;    // this run made the database
  bool made_anew_ = false;  // for its encoding
  bool taken_ = false;      // the database is this run's, to leave clean
  bool slot_made_ = false;
  bool released_ = false;
};

}  // namespace walstorm::postgres
