#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

#include <pqxx/connection>
#include <pqxx/transaction_base>

#include "proto/wire/clock_offset.h"

/// A server as it stands, before anything is made: asked only, never changed. Jobs for Session::ask.
namespace walstorm::postgres {

/// A replication slot that has the name which the run wants for its own.
struct NamedSlot {
  std::string database;  ///< empty for physical replication
  int active_pid = 0;    ///< its reader; 0 for none
};

/// What decides whether a run can start. -1 where the server does not say.
struct ServerProbe {
  std::string version;     ///< "15.18 (Debian ...)"
  int version_number = 0;  ///< 150018
  std::string wal_level;
  std::int64_t slots_max = -1, slots_used = -1;
  std::int64_t senders_max = -1, senders_used = -1;
  std::int64_t connections_max = -1, connections_used = -1;  ///< without those kept for superusers
  std::int64_t slot_wal_keep_mb = -1;                        ///< -1: no limit
  std::int64_t wal_sender_timeout_ms = -1;                   ///< 0: off
  std::optional<std::int64_t> idle_slot_timeout_sec;         ///< since PostgreSQL 18; 0: off
  std::string role;
  bool may_replicate = false;
  bool may_create_databases = false;
  bool database_exists = false;
  bool database_owned = false;
  std::optional<NamedSlot> slot;
  std::string data_directory;  ///< empty for who may not know it
  // Of this session: to find out whether the server is on this machine.
  pid_t backend_pid = 0;
  std::int64_t backend_start_unix_us = 0;
};

[[nodiscard]] ServerProbe probe_server(pqxx::connection& connection, const std::string& profiling_database,
                                       const std::string& slot);

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

/// Opens a replication connection to the server of `conninfo` and closes it. Returns what the server said
/// against it; empty when it let it in.
[[nodiscard]] std::string try_replication(const std::string& conninfo);

}  // namespace walstorm::postgres
