#include "orchestrator/postgres/replication_setup.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include "orchestrator/postgres/backend.h"
#include "orchestrator/postgres/query.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::postgres {
namespace {

using wire::Error;
using wire::ErrorKind;

/// Advisory locks are per database: the key need only be walstorm's.
constexpr std::string_view kTryLock = "pg_try_advisory_lock(hashtextextended('walstorm', 0))";
/// pg_locks has the key's halves apart (PostgreSQL, "pg_locks": a bigint key is shown with objsubid 1).
constexpr std::string_view kHolderSql =
    "SELECT l.pid, coalesce(a.application_name, ''), current_database() FROM pg_locks l LEFT JOIN "
    "pg_stat_activity "
    "a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.database = "
    "(SELECT oid "
    "FROM pg_database WHERE datname = current_database()) AND ((l.classid::bigint << 32) | l.objid::bigint) "
    "= "
    "hashtextextended('walstorm', 0)";
constexpr int kLockLooks = 3;
/// Of all sessions that walstorm opens, walstorm-check's and the workers' among them.
constexpr std::string_view kOurApplications = "walstorm";

/// Of pg_settings, those that shape a replication load, for the report.
constexpr std::array<std::string_view, 17> kReportedSettings{"wal_level",
                                                             "synchronous_commit",
                                                             "fsync",
                                                             "full_page_writes",
                                                             "wal_compression",
                                                             "commit_delay",
                                                             "shared_buffers",
                                                             "wal_buffers",
                                                             "max_wal_size",
                                                             "checkpoint_timeout",
                                                             "logical_decoding_work_mem",
                                                             "max_slot_wal_keep_size",
                                                             "max_wal_senders",
                                                             "max_replication_slots",
                                                             "wal_sender_timeout",
                                                             "max_connections",
                                                             "autovacuum"};

std::string setting(pqxx::transaction_base& transaction, const std::string& name) {
  return query_row(transaction, "SHOW " + name)[0].as<std::string>();
}

/// Since PostgreSQL 18 a table with REPLICA IDENTITY FULL and a stored generated column takes no update
/// unless that is published too (check_and_fetch_column_list and pub_contains_invalid_column in
/// publicationcmds.c).
bool needs_generated_columns(pqxx::transaction_base& transaction, config::ReplicaIdentity identity) {
  if (identity != config::ReplicaIdentity::full) return false;
  return query_row(
             transaction,
             "SELECT current_setting('server_version_num')::int >= 180000 AND EXISTS (SELECT FROM "
             "pg_attribute WHERE attrelid = to_regclass($1) AND attgenerated = 's' AND NOT attisdropped)",
             transaction.quote_name(std::string(wire::kTaskRunTable)))[0]
      .as<bool>();
}

}  // namespace

ServerFacts inspect_server(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  ServerFacts facts;
  facts.version = setting(transaction, "server_version");
  facts.version_number = std::stoi(setting(transaction, "server_version_num"));
  for (const std::string_view name : kReportedSettings) {
    facts.settings[std::string(name)] = setting(transaction, std::string(name));
  }
  const auto timeout =
      query_row(transaction, "SELECT setting::bigint FROM pg_settings WHERE name = 'wal_sender_timeout'");
  facts.wal_sender_timeout_ms = timeout[0].as<std::uint32_t>();
  return facts;
}

void lock_database(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  pqxx::result holder;
  // A holder may go between the two looks.
  for (int looks = 0; looks < kLockLooks && holder.empty(); ++looks) {
    if (query_row(transaction, fmt::format("SELECT {}", kTryLock))[0].as<bool>()) return;
    holder = query(transaction, std::string(kHolderSql));
  }
  if (holder.empty()) {
    throw Error(
        ErrorKind::unavailable,
        "take walstorm's lock on its database: it is held, and pg_locks does not say by whom; try again");
  }
  const int pid = holder[0][0].as<int>();
  const auto application = holder[0][1].as<std::string>();
  const std::string wait = what_it_waits_for(transaction, {pid, ""});
  const std::string session =
      shown_backend(transaction, pid) + (wait.empty() ? "" : fmt::format(", which {}", wait));
  const std::string database = holder[0][2].as<std::string>();
  if (application.empty() || application.starts_with(kOurApplications)) {
    throw Error(
        ErrorKind::unavailable,
        fmt::format(
            "another walstorm run is using the database \"{}\", whose lock is held by {}. Wait for its end, "
            "or give this "
            "one another with database.profilingDatabase. If no walstorm is running there any more: SELECT "
            "pg_terminate_backend({})",
            database, session, pid));
  }
  throw Error(ErrorKind::unavailable,
              fmt::format("the lock that walstorm takes on the database \"{}\" is held by {}, which is not a "
                          "walstorm run's session (a connection pooler keeps the locks of clients that have "
                          "gone): SELECT pg_terminate_backend({}), or use another database with "
                          "database.profilingDatabase",
                          database, session, pid));
}

bool take_over_lock(pqxx::connection& connection, const std::string& application_name,
                    std::chrono::milliseconds timeout) {
  pqxx::nontransaction transaction(connection);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!query_row(transaction, fmt::format("SELECT {}", kTryLock))[0].as<bool>()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    // One that is in a long statement does not notice that its client has gone.
    query(transaction,
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
          "application_name = $1 AND pid <> pg_backend_pid()",
          application_name);
    transaction.exec("SELECT pg_sleep(0.05)");
  }
  return true;
}

void require_other_database(pqxx::connection& connection, const std::string& profiling_database) {
  pqxx::nontransaction transaction(connection);
  if (query_row(transaction, "SELECT current_database()")[0].as<std::string>() != profiling_database) return;
  throw Error(
      ErrorKind::config,
      "database.copySchemaFrom: is the profiling database itself, which walstorm empties: name another");
}

std::vector<std::string> search_path(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  std::vector<std::string> schemas;
  for (const auto& row : query(transaction, "SELECT unnest(current_schemas(false))"))
    schemas.push_back(row[0].as<std::string>());
  return schemas;
}

void set_search_path(pqxx::connection& connection, const std::vector<std::string>& schemas) {
  pqxx::nontransaction transaction(connection);
  std::string list;
  for (const std::string& schema : schemas)
    list += (list.empty() ? "" : ", ") + transaction.quote_name(schema);
  const auto database = query_row(transaction, "SELECT current_database()")[0].as<std::string>();
  // Of the role in this database: it goes before what either has by itself, and goes with the database.
  transaction.exec(fmt::format("ALTER ROLE CURRENT_USER IN DATABASE {} SET search_path = {}",
                               transaction.quote_name(database), list));
}

int server_version(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  return std::stoi(setting(transaction, "server_version_num"));
}

std::set<std::string> setting_names(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  std::set<std::string> names;
  for (const auto& row : query(transaction, "SELECT name FROM pg_settings"))
    names.insert(row[0].as<std::string>());
  return names;
}

void prepare_table(pqxx::connection& connection, config::ReplicaIdentity identity,
                   const std::string& publication, const std::string& schema) {
  pqxx::work transaction(connection);
  const std::string table = transaction.quote_name(std::string(wire::kTaskRunTable));
  transaction.exec("SET LOCAL client_min_messages = warning");
  if (!schema.empty()) transaction.exec("CREATE SCHEMA IF NOT EXISTS " + transaction.quote_name(schema));
  transaction.exec(
      fmt::format("DROP TABLE IF EXISTS {} CASCADE", table));  // a copied one has foreign keys to it
  transaction.exec(wire::create_task_run_sql());
  publish_table(transaction, identity, publication);
  transaction.commit();
}

void publish_table(pqxx::transaction_base& transaction, config::ReplicaIdentity identity,
                   const std::string& publication) {
  const std::string table = transaction.quote_name(std::string(wire::kTaskRunTable));
  const std::string quoted_publication = transaction.quote_name(publication);
  transaction.exec("SET LOCAL client_min_messages = warning");
  transaction.exec("DROP PUBLICATION IF EXISTS " + quoted_publication);
  transaction.exec(fmt::format("ALTER TABLE {} REPLICA IDENTITY {}", table,
                               identity == config::ReplicaIdentity::full ? "FULL" : "DEFAULT"));
  // ONLY: tables that inherit from it are not written to, but each update would ask for their replica
  // identities as well.
  transaction.exec(fmt::format(
      "CREATE PUBLICATION {} FOR TABLE ONLY {} WITH (publish_via_partition_root = true{})",
      quoted_publication, table,
      needs_generated_columns(transaction, identity) ? ", publish_generated_columns = stored" : ""));
}

bool drop_slot(pqxx::connection& connection, const std::string& slot, std::chrono::milliseconds timeout) {
  pqxx::nontransaction transaction(connection);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto found =
        query(transaction,
              "SELECT active_pid, database IS NOT DISTINCT FROM current_database(), "
              "coalesce(database, 'physical replication') FROM pg_replication_slots WHERE slot_name = $1",
              slot);
    if (found.empty()) return false;
    if (!found[0][1].as<bool>()) {
      throw Error(
          ErrorKind::unavailable,
          fmt::format("the replication slot \"{}\" belongs to {}, not to this run: choose another name with "
                      "consumer.slotName",
                      slot, found[0][2].c_str()));
    }
    if (found[0][0].is_null()) {
      query(transaction, "SELECT pg_drop_replication_slot($1)", slot);
      return true;
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(
          ErrorKind::unavailable,
          fmt::format("drop the replication slot \"{}\": process {} still holds it; end it with SELECT "
                      "pg_terminate_backend({}) and then run walstorm clean",
                      slot, found[0][0].c_str(), found[0][0].c_str()));
    }
    // A zombie walsender holds the slot until it notices that its reader is gone.
    query(transaction, "SELECT pg_terminate_backend($1)", found[0][0].as<int>());
    transaction.exec("SELECT pg_sleep(0.05)");
  }
}

void create_slot(pqxx::connection& connection, const std::string& slot) {
  pqxx::nontransaction transaction(connection);
  try {
    query(transaction, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", slot);
  } catch (const pqxx::sql_error& error) {
    // 53400 configuration_limit_exceeded: "all replication slots are in use".
    if (error.sqlstate() != "53400") throw;
    throw Error(
        ErrorKind::unavailable,
        fmt::format("create the replication slot \"{}\": {}Drop a slot that nobody needs (SELECT * FROM "
                    "pg_replication_slots) or raise max_replication_slots and restart PostgreSQL",
                    slot, error.what()));
  }
}

std::string emit_marker(pqxx::connection& connection, const std::string& content) {
  pqxx::work transaction(connection);
  const auto row = query_row(transaction, "SELECT pg_logical_emit_message(true, $1, $2)::text",
                             std::string(wire::kMarkerPrefix), content);
  std::string lsn = row[0].as<std::string>();
  transaction.commit();
  return lsn;
}

wire::RowTally tally_rows(pqxx::connection& connection) {
  pqxx::work transaction(connection);
  // sum(bigint) is numeric; modulo 2^64 and made non-negative it is the sum of the same bits as unsigned.
  const auto row = query_row(
      transaction,
      fmt::format("SELECT count(*), coalesce(bit_xor(row_hash), 0), "
                  "mod(mod(coalesce(sum(row_hash), 0), 18446744073709551616) + 18446744073709551616, "
                  "18446744073709551616)::text FROM \"{}\"",
                  wire::kTaskRunTable));
  wire::RowTally tally;
  tally.rows = row[0].as<std::uint64_t>();
  tally.hash_xor = static_cast<std::uint64_t>(row[1].as<std::int64_t>());
  tally.hash_sum = std::stoull(row[2].as<std::string>());
  return tally;
}

}  // namespace walstorm::postgres
