#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <pqxx/connection>
#include <pqxx/transaction_base>

#include "orchestrator/config/config.h"
#include "orchestrator/postgres/address/address.h"
#include "proto/wire/change_tally.h"

/// What a run needs in PostgreSQL, made and taken away: database, "TaskRun", publication, slot, markers. Each
/// function is a job for Session::ask: it blocks, checks what the server answered, and throws wire::Error
/// that says what to do.
namespace walstorm::postgres {

/// What the server says of itself, before anything is made.
struct ServerFacts {
  std::string version;     ///< "15.18 (Debian ...)"
  int version_number = 0;  ///< 150018
  std::uint32_t wal_sender_timeout_ms = 0;
  std::map<std::string, std::string> settings;  ///< those that shape a replication load, as SHOW gives them
};

/// Of a server that is fit for a run: see readiness.h.
[[nodiscard]] ServerFacts inspect_server(pqxx::connection& connection);

/// Takes the advisory lock that one run at a time holds on the connected (profiling) database. Released when
/// the connection ends. Throws Error{unavailable} when another run has it.
void lock_database(pqxx::connection& connection);

/// Takes that lock for cleaning up after a run whose own session may still hold it or have lost it: ends the
/// run's other sessions, those of `application_name`, and tries up to `timeout`. False when another run has
/// it.
[[nodiscard]] bool take_over_lock(pqxx::connection& connection, const std::string& application_name,
                                  std::chrono::milliseconds timeout);

/// Throws Error{config} when the connected database, from which a schema is to be copied, is the profiling
/// database.
void require_other_database(pqxx::connection& connection, const std::string& profiling_database);

/// The server's version, 150018, and the names of all settings that it knows.
[[nodiscard]] int server_version(pqxx::connection& connection);
[[nodiscard]] std::set<std::string> setting_names(pqxx::connection& connection);

/// The schemas that unqualified names of this session are looked for in, in their order: those that exist.
[[nodiscard]] std::vector<std::string> search_path(pqxx::connection& connection);
/// Has every later session of this role in the connected database begin with that search path.
void set_search_path(pqxx::connection& connection, const std::vector<std::string>& schemas);

/// Creates an empty "TaskRun" (an existing one is dropped) and publishes it, see publish_table(). `schema` is
/// the one that the connection's search path names, created when it is not there; empty for the server's
/// default.
void prepare_table(pqxx::connection& connection, config::ReplicaIdentity identity,
                   const std::string& publication, const std::string& schema);

/// Gives "TaskRun" that replica identity, and makes the publication for it. Before create_slot: a publication
/// must exist before the slot's consistent point.
void publish_table(pqxx::transaction_base& transaction, config::ReplicaIdentity identity,
                   const std::string& publication);

/// Drops the slot of the connected database when it is there, ending a walsender that still holds it; waits
/// for that up to `timeout`. Returns whether there was one. Another database's slot of that name is an
/// Error{unavailable}.
bool drop_slot(pqxx::connection& connection, const std::string& slot, std::chrono::milliseconds timeout);

void create_slot(pqxx::connection& connection, const std::string& slot);

/// Writes a phase's end into the WAL (wire::phase_end_marker). Returns its position.
std::string emit_marker(pqxx::connection& connection, const std::string& content);

/// "TaskRun" as it stands: count, XOR and sum of row_hash.
[[nodiscard]] wire::RowTally tally_rows(pqxx::connection& connection);

}  // namespace walstorm::postgres
