#include "orchestrator/clickhouse/clean_up.h"

#include <chrono>
#include <fmt/format.h>
#include <set>

#include "orchestrator/clickhouse/migrations.h"
#include "orchestrator/clickhouse/task_runs.h"

namespace walstorm::clickhouse {
namespace {

/// To drop a large table, or to read one column of it.
constexpr std::chrono::seconds kCleanUpTimeout{300};

std::set<std::string> tables_in(Session& session, const std::string& database) {
  std::set<std::string> tables;
  for (const auto& row : session.ask(
           "list its tables",
           {.sql = fmt::format("SELECT name FROM system.tables WHERE database = {}", quoted_text(database))},
           kCleanUpTimeout, 0)) {
    tables.insert(row.at(0).value_or(""));
  }
  return tables;
}

/// "1000 rows of 2 runs"
std::string contents(Session& session, const std::string& database) {
  const Rows counted = session.ask(
      "count the rows",
      {.sql = fmt::format("SELECT count(), uniqExact(_run_id) FROM {}", task_runs_table(database))},
      kCleanUpTimeout, 0);
  const std::string runs = counted.at(0).at(1).value_or("");
  return fmt::format("{} rows of {} run{}", counted.at(0).at(0).value_or(""), runs, runs == "1" ? "" : "s");
}

}  // namespace

std::vector<std::string> clean_up(Session& session, const std::string& database, bool dry_run) {
  if (!is_ours(session, database)) return {};
  std::set<std::string> there = tables_in(session, database);
  std::vector<std::string> names;
  for (const Migration& migration : embedded_migrations()) names.push_back(migration.name);
  names.emplace_back("migrations");  // last: by it the rest is known to be ours
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    if (there.erase(name) == 0) continue;
    lines.push_back(fmt::format("ClickHouse table \"{}\".{}{}", database, name,
                                name == "task_runs" ? " with " + contents(session, database) : ""));
    if (!dry_run)
      session.execute(
          "drop the table " + name,
          {.sql = fmt::format("DROP TABLE IF EXISTS {}.{}", quoted_name(database), quoted_name(name))},
          kCleanUpTimeout, 0);
  }
  if (!there.empty() || database == "default") return lines;
  lines.push_back(fmt::format("ClickHouse database \"{}\"", database));
  if (!dry_run)
    session.execute("drop the database", {.sql = "DROP DATABASE IF EXISTS " + quoted_name(database)},
                    kCleanUpTimeout, 0);
  return lines;
}

}  // namespace walstorm::clickhouse
