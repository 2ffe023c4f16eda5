#include "orchestrator/cli/clean.h"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

#include <pqxx/nontransaction>

#include "orchestrator/clickhouse/clean_up.h"
#include "orchestrator/clickhouse/heartbeat.h"
#include "orchestrator/clickhouse/server_probe.h"
#include "orchestrator/config/sink_kind.h"
#include "orchestrator/postgres/address/address.h"
#include "orchestrator/postgres/own_database.h"
#include "orchestrator/postgres/prepared_database.h"
#include "orchestrator/postgres/query.h"
#include "orchestrator/postgres/replication_setup.h"
#include "orchestrator/postgres/server_probe.h"
#include "orchestrator/postgres/session.h"
#include "orchestrator/process/private_folder.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm {
namespace {

using std::chrono::seconds;
using Lines = std::vector<std::string>;

constexpr seconds kStepTimeout{60};
constexpr seconds kSlotRelease{20};

bool database_exists(pqxx::connection& connection, const std::string& database) {
  pqxx::nontransaction transaction(connection);
  return !postgres::query(transaction, "SELECT 1 FROM pg_database WHERE datname = $1", database).empty();
}

/// What stands in the profiling database; "TaskRun" with its rows counted.
Lines list_database(pqxx::connection& connection, const config::Config& config) {
  pqxx::nontransaction transaction(connection);
  Lines lines;
  const std::string& slot = config.consumer.slot_name;
  const auto slots =
      postgres::query(transaction,
                      "SELECT pg_size_pretty(pg_current_wal_lsn() - restart_lsn) FROM pg_replication_slots "
                      "WHERE slot_name = $1 AND database = current_database()",
                      slot);
  if (!slots.empty())
    lines.push_back(fmt::format("replication slot \"{}\", holding {} of WAL", slot, slots[0][0].c_str()));
  const std::string& publication = config.consumer.publication_name;
  if (!postgres::query(transaction, "SELECT 1 FROM pg_publication WHERE pubname = $1", publication).empty()) {
    lines.push_back(fmt::format("publication \"{}\"", publication));
  }
  // In whichever schema: runs may have had different ones.
  const auto tables = postgres::query(
      transaction, "SELECT oid::regclass::text FROM pg_class WHERE relname = $1 AND relkind = 'r' ORDER BY 1",
      std::string(wire::kTaskRunTable));
  std::string rows = tables.empty() ? "no table" : "";
  for (const auto& table : tables) {
    const auto counted =
        postgres::query_row(transaction, fmt::format("SELECT count(*) FROM {}", table[0].c_str()));
    rows += fmt::format("{}{} with {} rows", rows.empty() ? "" : ", ", table[0].c_str(), counted[0].c_str());
  }
  lines.push_back(fmt::format("database \"{}\" ({})", config.database.profiling_database, rows));
  return lines;
}

Lines clean_server(process::EventLoop& loop, const config::Config& config, bool dry_run) {
  const auto address = postgres::Address::parse(*config.database.url);
  const std::string& database = config.database.profiling_database;
  const std::string what = "clean PostgreSQL at " + address.shown();
  const std::string home = postgres::home_database(address, config.database);
  const std::string conninfo = address.conninfo(home, "walstorm");
  postgres::Session at_home(loop, conninfo, what);
  postgres::require_no_pooler(at_home, conninfo);
  if (!at_home.ask<bool>("look for the database", kStepTimeout, 0,
                         [database](auto& connection) { return database_exists(connection, database); })) {
    return {};
  }
  Lines found;
  {
    postgres::Session session(loop, address.conninfo(database, "walstorm"), what);
    found = session.ask<Lines>("list and drop the slot", kStepTimeout + kSlotRelease, 0,
                               [config, dry_run](auto& connection) {
                                 postgres::require_ours(connection);
                                 postgres::lock_database(connection);  // a run in progress keeps what it has
                                 Lines lines = list_database(connection, config);
                                 if (!dry_run)
                                   postgres::drop_slot(connection, config.consumer.slot_name, kSlotRelease);
                                 return lines;
                               });
  }
  if (!dry_run) {
    at_home.ask<bool>("drop the database", kStepTimeout, 0, [database](auto& connection) {
      postgres::drop_database(connection, database);  // takes publication and table along
      return true;
    });
  }
  return found;
}

/// Runs under way there: a line for each. Throws Error{unavailable} that names them when they are to be
/// heeded.
Lines heed_living_runs(clickhouse::Session& session, const std::string& database,
                       const CleanOptions& options) {
  Lines living;
  for (const auto& run : clickhouse::living_runs(session, database))
    living.push_back(clickhouse::to_text(run));
  if (living.empty() || options.dry_run || options.force) return living;
  throw wire::Error(
      wire::ErrorKind::unavailable,
      fmt::format(
          "clean ClickHouse's database \"{}\": a run is using it: {}. Nothing was removed. Wait for its "
          "end; --force removes its rows all the same",
          database, fmt::join(living, "; ")));
}

}  // namespace

Lines clean(process::EventLoop& loop, const config::Config& config, const CleanOptions& options) {
  // Runs with the mock have left nothing in ClickHouse.
  std::optional<clickhouse::Session> sink;
  Lines found;
  if (config::sink_kind(config) == config::SinkKind::named_clickhouse) {
    const auto address = clickhouse::server_address(config.clickhouse);
    sink.emplace(loop, address, "clean ClickHouse at " + address.shown());
    (void)clickhouse::ask_features(*sink);  // is it one, and how does it answer
    found = heed_living_runs(*sink, config.clickhouse.database, options);  // before anything is removed
    if (!options.dry_run) found.clear();
  }
  const auto add = [&found](const Lines& more) { found.insert(found.end(), more.begin(), more.end()); };
  if (config.database.url) add(clean_server(loop, config, options.dry_run));
  if (sink) add(clickhouse::clean_up(*sink, config.clickhouse.database, options.dry_run));
  const auto temp = process::temporary_folder();
  for (const auto& folder : process::stale_folders(temp))
    found.push_back(fmt::format("folder {}", folder.string()));
  if (!options.dry_run) process::remove_stale_folders(temp);
  return found;
}

}  // namespace walstorm
