#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <pqxx/connection>

#include "orchestrator/config/config.h"
#include "orchestrator/postgres/address.h"
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

/// Asks, and checks: PostgreSQL 14 to 18, wal_level=logical, a free slot and walsender.
[[nodiscard]] ServerFacts inspect_server(pqxx::connection& connection);

/// Takes the advisory lock that one run at a time holds on the connected (profiling) database. Released when
/// the connection ends. Throws Error{unavailable} when another run has it.
void lock_database(pqxx::connection& connection);

/// Creates the database unless it is there, or drops it if it is there. `connection` is to another one.
void create_database(pqxx::connection& connection, const std::string& database);
void drop_database(pqxx::connection& connection, const std::string& database);

/// Creates an empty "TaskRun" (an existing one is dropped) with that replica identity, and the publication
/// for it. In this order, and before create_slot: a publication must exist before the slot's consistent
/// point. `schema` is the one that the connection's search path names, created when it is not there; empty
/// for the server's default.
void prepare_table(pqxx::connection& connection, config::ReplicaIdentity identity,
                   const std::string& publication, const std::string& schema);

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
