#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

#include <pqxx/connection>
#include <pqxx/transaction_base>

#include "orchestrator/config/config.h"
#include "orchestrator/postgres/address/address.h"
#include "orchestrator/postgres/connection_trial.h"
#include "orchestrator/postgres/session.h"
#include "proto/wire/clock_offset.h"

/// A server as it stands, before anything is made: asked only, never changed.
namespace walstorm::postgres {

/// A replication slot that has the name which the run wants for its own.
struct NamedSlot {
  std::string database;  ///< empty for physical replication
  int active_pid = 0;    ///< its reader; 0 for none
};

/// Of the profiling database, as it is or as it will be made.
struct TargetProbe {
  bool exists = false;
  bool owned = false;
  bool marked = false;            ///< by its comment one that walstorm made
  std::string encoding;           ///< "UTF8"; empty where there is no database
  bool may_create_in = true;      ///< a schema, or a publication
  bool read_only = false;         ///< so are transactions in it, or those that would create it
  std::string search_path;        ///< of the role's sessions in it
  std::string schema = "public";  ///< in which an unqualified table is made; empty for none
  bool may_create_in_schema = true;
  std::int64_t connections_max = -1, connections_used = 0;  ///< its CONNECTION LIMIT; -1: none
  /// Why it lets the role not in, as an ordinary session and for replication.
  std::optional<TrialAnswer> refused, replication_refused;
};

/// What decides whether a run can start. -1 where the server does not say.
struct ServerProbe {
  std::string version;     ///< "15.18 (Debian ...)"
  int version_number = 0;  ///< 150018
  std::string wal_level;
  std::int64_t slots_max = -1, slots_used = -1;
  std::int64_t senders_max = -1, senders_used = -1;
  /// Of ordinary sessions: those that the role may have at most beside all others', and those of others now.
  std::int64_t connections_max = -1, connections_used = -1;
  std::int64_t role_connections_max = -1, role_connections_used = 0;  ///< its CONNECTION LIMIT; -1: none
  std::int64_t slot_wal_keep_mb = -1;                                 ///< -1: no limit
  std::int64_t wal_sender_timeout_ms = -1;                            ///< 0: off
  std::optional<std::int64_t> idle_slot_timeout_sec;                  ///< since PostgreSQL 18; 0: off
  std::string synchronous_commit;                                     ///< of this session
  std::string synchronous_standby_names;             ///< as it is set, blank where that is off
  std::optional<std::int64_t> synchronous_standbys;  ///< that answer; nullopt for who may not know
  std::string role;
  bool may_replicate = false;
  bool may_create_databases = false;
  Between between = Between::nothing;
  bool standby = false;
  std::string primary;  ///< of a standby: "host:port", where the role may know it
  TargetProbe target;
  std::string home_encoding;  ///< of the database that was asked
  std::optional<NamedSlot> slot;
  std::string data_directory;  ///< empty for who may not know it
  // Of this session: to find out whether the server is on this machine.
  pid_t backend_pid = 0;
  std::int64_t backend_start_unix_us = 0;
};

/// Looks at the server of `address` by a session in its database `home`, and tries the connections that a run
/// of `config` will make. Throws what Session::ask does. Of a
/// pooler nothing but `between` is filled in.
[[nodiscard]] ServerProbe probe_server(Session& at_home, const Address& address, const std::string& home,
                                       const config::Config& config);

/// Throws Error{unavailable} where a session to `conninfo` is a pooler's, which would keep what it locks.
void require_no_pooler(Session& session, const std::string& conninfo);

/// The schema of a database made anew in which `search_path` has unqualified tables made; empty for none.
[[nodiscard]] std::string schema_when_new(const std::string& search_path);

/// Since when the backend of `connection` runs, by the server's clock, in microseconds since 1970; 0 where it
/// does not say.
[[nodiscard]] std::int64_t backend_start_unix_us(pqxx::transaction_base& transaction);

/// The server's data folder, if the server is on this machine and says where.
[[nodiscard]] std::optional<std::filesystem::path> local_data_folder(const ServerProbe& probe);

/// How far this host's clock is ahead of the server's. Throws Error{unavailable} when ours was set back
/// meanwhile.
[[nodiscard]] wire::ClockOffset compare_clocks(pqxx::connection& connection);

/// The server's clock: "behind this host's by 12.30 ms (+- 0.20 ms)".
[[nodiscard]] std::string clock_text(const wire::ClockOffset& offset);

}  // namespace walstorm::postgres
