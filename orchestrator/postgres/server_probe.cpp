#include "orchestrator/postgres/server_probe.h"

#include <cstdlib>
#include <fmt/format.h>
#include <vector>

#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "orchestrator/process/proc_stat.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

/// A setting as a number in its own unit; -1 where the server has no such setting.
std::int64_t number(pqxx::transaction_base& transaction, const std::string& name) {
  const auto found = query(transaction, "SELECT setting::bigint FROM pg_settings WHERE name = $1", name);
  return found.empty() ? -1 : found[0][0].as<std::int64_t>();
}

void probe_role(pqxx::transaction_base& transaction, ServerProbe& probe) {
  // On RDS nobody has the attribute REPLICATION: there, members of rds_replication have the right.
  const auto row = query_row(
      transaction,
      "SELECT rolname, rolsuper OR rolreplication OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = "
      "'rds_replication' AND pg_has_role(r.oid, 'MEMBER')), rolsuper OR rolcreatedb "
      "FROM pg_roles WHERE rolname = current_user");
  probe.role = row[0].as<std::string>();
  probe.may_replicate = row[1].as<bool>();
  probe.may_create_databases = row[2].as<bool>();
}

void probe_use(pqxx::transaction_base& transaction, ServerProbe& probe) {
  probe.slots_max = number(transaction, "max_replication_slots");
  probe.senders_max = number(transaction, "max_wal_senders");
  probe.connections_max =
      number(transaction, "max_connections") - number(transaction, "superuser_reserved_connections");
  const auto row = query_row(
      transaction,
      "SELECT (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_stat_replication), "
      "(SELECT coalesce(sum(numbackends), 0) FROM pg_stat_database), pg_backend_pid(), "
      "(SELECT setting FROM pg_settings WHERE name = 'data_directory')");
  probe.slots_used = row[0].as<std::int64_t>();
  probe.senders_used = row[1].as<std::int64_t>();
  probe.connections_used = row[2].as<std::int64_t>();
  probe.backend_pid = row[3].as<pid_t>();
  probe.backend_start_unix_us = backend_start_unix_us(transaction);
  if (!row[4].is_null()) probe.data_directory = row[4].as<std::string>();
}

}  // namespace

std::int64_t backend_start_unix_us(pqxx::transaction_base& transaction) {
  return query_row(transaction,
                   "SELECT coalesce(max((extract(epoch FROM backend_start) * 1000000)::bigint), 0) "
                   "FROM pg_stat_activity WHERE pid = pg_backend_pid()")[0]
      .as<std::int64_t>();
}

ServerProbe probe_server(pqxx::connection& connection, const std::string& profiling_database,
                         const std::string& slot) {
  pqxx::nontransaction transaction(connection);
  ServerProbe probe;
  probe.version = query_row(transaction, "SHOW server_version")[0].as<std::string>();
  probe.version_number = query_row(transaction, "SHOW server_version_num")[0].as<int>();
  probe.wal_level = query_row(transaction, "SHOW wal_level")[0].as<std::string>();
  probe.slot_wal_keep_mb = number(transaction, "max_slot_wal_keep_size");
  probe.wal_sender_timeout_ms = number(transaction, "wal_sender_timeout");
  const auto idle = query(transaction,
                          "SELECT setting::bigint * CASE unit WHEN 'min' THEN 60 ELSE 1 END FROM pg_settings "
                          "WHERE name = 'idle_replication_slot_timeout'");
  if (!idle.empty()) probe.idle_slot_timeout_sec = idle[0][0].as<std::int64_t>();
  probe_role(transaction, probe);
  probe_use(transaction, probe);
  const auto database =
      query(transaction, "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = $1",
            profiling_database);
  probe.database_exists = !database.empty();
  probe.database_owned = probe.database_exists && database[0][0].as<bool>();
  const auto named = query(transaction,
                           "SELECT coalesce(database, ''), coalesce(active_pid, 0) FROM pg_replication_slots "
                           "WHERE slot_name = $1",
                           slot);
  if (!named.empty()) probe.slot = NamedSlot{named[0][0].as<std::string>(), named[0][1].as<int>()};
  return probe;
}

std::optional<std::filesystem::path> local_data_folder(const ServerProbe& probe) {
  if (probe.data_directory.empty() ||
      !process::is_local_backend(probe.backend_pid, probe.backend_start_unix_us)) {
    return std::nullopt;
  }
  return probe.data_directory;
}

wire::ClockOffset compare_clocks(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  const wire::SystemClock clock;
  std::vector<wire::ClockRoundTrip> round_trips;
  for (int i = 0; i < wire::kClockRoundTrips; ++i) {
    wire::ClockRoundTrip trip{clock.unix_us(), 0, 0};
    trip.other_unix_us = query_row(transaction, wire::kClockSql)[0].as<std::int64_t>();
    trip.answered_unix_us = clock.unix_us();
    round_trips.push_back(trip);
  }
  const auto offset = wire::estimate_clock_offset(round_trips);
  if (!offset)
    throw wire::Error(wire::ErrorKind::unavailable, "compare the clocks: ours was set back meanwhile");
  return *offset;
}

std::string clock_text(const wire::ClockOffset& offset) {
  const double error_ms = static_cast<double>(offset.error_us) / 1000;
  if (offset.known_us() == 0) return fmt::format("the same as this host's within {:.2f} ms", error_ms);
  return fmt::format("{} this host's by {:.2f} ms (+- {:.2f} ms)",
                     offset.ahead_us < 0 ? "ahead of" : "behind",
                     static_cast<double>(std::abs(offset.ahead_us)) / 1000, error_ms);
}

std::string try_replication(const std::string& conninfo) {
  try {
    pqxx::connection connection(conninfo + " replication='database'");
    pqxx::nontransaction transaction(connection);
    (void)query_row(transaction, "IDENTIFY_SYSTEM");
    return {};
  } catch (const std::exception& error) {
    std::string said = error.what();
    while (!said.empty() && said.back() == '\n') said.pop_back();
    return said;
  }
}

}  // namespace walstorm::postgres
