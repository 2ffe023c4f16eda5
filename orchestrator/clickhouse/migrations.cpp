#include "orchestrator/clickhouse/migrations.h"

#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "proto/wire/error.h"

namespace walstorm::clickhouse {
namespace {

using wire::Error;
using wire::ErrorKind;

/// A statement on metadata; a replicated server may take its time.
constexpr int kTolerateNone = 0;
/// What a server is to remember of the blocks it took: well beyond those that are in flight.
constexpr int kDeduplicationWindow = 1000;

const std::set<std::string> kOwnColumns{"number", "name", "checksum", "applied_at"};

/// The columns of a table; empty where it is not there.
std::set<std::string> columns_of(Session& session, const std::string& database, const std::string& table) {
  std::set<std::string> columns;
  for (const auto& row :
       session.ask("look at the tables",
                   {.sql = fmt::format("SELECT name FROM system.columns WHERE database = {} AND table = {}",
                                       quoted_text(database), quoted_text(table))},
                   kStepTimeout, kTolerateNone)) {
    columns.insert(row[0].value_or(""));
  }
  return columns;
}

/// A table by a name that one of `known` creates; empty where there is none.
std::string table_in_the_way(Session& session, const std::string& database,
                             const std::vector<Migration>& known) {
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const Migration& migration : known) names.push_back(quoted_text(migration.name));
  if (names.empty()) return {};
  const Rows found = session.ask(
      "look at the tables",
      {.sql = fmt::format("SELECT name FROM system.tables WHERE database = {} AND name IN ({}) ORDER BY name "
                          "LIMIT 1",
                          quoted_text(database), fmt::join(names, ", "))},
      kStepTimeout, kTolerateNone);
  return found.empty() ? "" : found[0][0].value_or("");
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

}  // namespace

std::string rendered(const Migration& migration, const Features& features, const std::string& database) {
  const std::map<std::string, std::string> places{
      {"{Word}", features.low_cardinality ? "LowCardinality(String)" : "String"},
      {"{Time}", features.datetime64 ? "DateTime64(3, 'UTC')" : "Int64"},
      {"{versions}", features.is_deleted_parameter ? "_version, _is_deleted" : "_version"},
      {"{month_of_created_at}",
       features.datetime64 ? "toYYYYMM(created_at)" : "toYYYYMM(toDateTime(intDiv(created_at, 1000)))"},
      {"{deduplication}",
       features.deduplication_window
           ? fmt::format("SETTINGS non_replicated_deduplication_window = {}", kDeduplicationWindow)
           : ""}};
  std::string sql = migration.sql;
  for (const auto& [place, text] : places) replace_all(sql, place, text);
  replace_all(sql, "{database}", quoted_name(database));  // last: a name may hold braces itself
  return sql;
}

std::vector<Migration> outstanding(const std::vector<Migration>& known, const AppliedMigrations& applied,
                                   const std::string& database) {
  std::vector<Migration> left;
  AppliedMigrations unknown = applied;
  for (const Migration& migration : known) {
    const auto found = unknown.extract(migration.number);
    if (found.empty()) {
      left.push_back(migration);
    } else if (found.mapped().checksum != migration.checksum) {
      throw Error(
          ErrorKind::unavailable,
          fmt::format(
              "ClickHouse's database \"{}\" is not as this walstorm makes it: its migration {} ({}) was "
              "another one. Remove its tables with walstorm clean, or name another database with "
              "clickhouse.database",
              database, migration.number, found.mapped().name));
    }
  }
  if (unknown.empty()) return left;
  const auto& [number, newest] = *unknown.rbegin();
  throw Error(
      ErrorKind::unavailable,
      fmt::format(
          "ClickHouse's database \"{}\" is a newer walstorm's: its migration {} ({}) is unknown to this "
          "one. Use that walstorm, or name another database with clickhouse.database",
          database, number, newest.name));
}

bool is_ours(Session& session, const std::string& database) {
  return columns_of(session, database, "migrations") == kOwnColumns;
}

bool require_ours_or_free(Session& session, const std::string& database,
                          const std::vector<Migration>& known) {
  // In this order: another run that starts at this moment makes its table migrations before any other.
  const std::string in_the_way = table_in_the_way(session, database, known);
  const auto migrations = columns_of(session, database, "migrations");
  if (migrations == kOwnColumns) return true;
  if (migrations.empty() && in_the_way.empty()) return false;
  throw Error(ErrorKind::unavailable,
              fmt::format("ClickHouse's database \"{}\" has a table \"{}\" that is not walstorm's: name "
                          "another database with clickhouse.database",
                          database, migrations.empty() ? in_the_way : "migrations"));
}

AppliedMigrations applied_migrations(Session& session, const std::string& database) {
  AppliedMigrations applied;
  for (const auto& row : session.ask(
           "read what it has",
           {.sql = fmt::format("SELECT number, name, checksum FROM {}.migrations", quoted_name(database))},
           kStepTimeout, kTolerateNone)) {
    applied[static_cast<std::uint32_t>(std::stoul(row[0].value()))] = {row[1].value(), row[2].value()};
  }
  return applied;
}

void migrate(Session& session, const Features& features, const std::string& database,
             const std::vector<Migration>& known) {
  const std::string name = quoted_name(database);
  if (!require_ours_or_free(session, database, known)) {
    session.execute("create the database", {.sql = fmt::format("CREATE DATABASE IF NOT EXISTS {}", name)},
                    kStepTimeout, kTolerateNone);
    session.execute(
        "create the table migrations",
        {.sql = fmt::format("CREATE TABLE IF NOT EXISTS {}.migrations (number UInt32, name String, checksum "
                            "String, applied_at DateTime) ENGINE = MergeTree ORDER BY number",
                            name)},
        kStepTimeout, kTolerateNone);
  }
  for (const Migration& migration : outstanding(known, applied_migrations(session, database), database)) {
    session.execute(fmt::format("migration {} ({})", migration.number, migration.name),
                    {.sql = rendered(migration, features, database)}, kStepTimeout, kTolerateNone);
    // Two runs at once may both get here: the same row twice says the same.
    session.execute(
        "record the migration",
        {.sql = fmt::format("INSERT INTO {}.migrations SELECT {}, {}, {}, now()", name, migration.number,
                            quoted_text(migration.name), quoted_text(migration.checksum))},
        kStepTimeout, kTolerateNone);
  }
}

}  // namespace walstorm::clickhouse
