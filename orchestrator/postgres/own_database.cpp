#include "orchestrator/postgres/own_database.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <vector>

#include <pqxx/nontransaction>

#include "orchestrator/postgres/address/identifier.h"
#include "orchestrator/postgres/query.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::postgres {
namespace {

using wire::Error;
using wire::ErrorKind;

constexpr std::size_t kThingsShown = 3;

/// UTF8 goes with few locales of another encoding, and C goes with every encoding.
constexpr std::string_view kUtf8Options = "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";

/// The catalogs that hold the objects of one database. Not pg_enum: its labels belong to their type, and
/// pg_describe_object does not know them. Those that the role may not read list what depends on others.
std::set<std::string> object_catalogs(pqxx::transaction_base& transaction) {
  std::set<std::string> names;
  for (const auto& row : query(
           transaction,
           "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'oid' "
           "WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND NOT c.relisshared "
           "AND c.relname <> 'pg_enum' AND has_column_privilege(c.oid, a.attnum, 'SELECT')")) {
    names.insert(row[0].as<std::string>());
  }
  return names;
}

/// (class, id) of all that was made after initdb. pg_depend calls a large object by another catalog.
std::string all_objects(const std::set<std::string>& catalogs) {
  // FirstNormalObjectId, src/include/access/transam.h. A large object may have any number.
  std::string sql =
      "SELECT 'pg_subscription'::regclass::oid AS class, oid AS id FROM pg_subscription WHERE subdbid = "
      "(SELECT oid FROM pg_database WHERE datname = current_database())";
  for (const std::string& name : catalogs) {
    const bool large_objects = name == "pg_largeobject_metadata";
    sql += fmt::format(" UNION ALL SELECT 'pg_catalog.{}'::regclass::oid, oid FROM pg_catalog.{}{}",
                       large_objects ? "pg_largeobject" : name, name,
                       large_objects ? "" : " WHERE oid >= 16384");
  }
  return sql;
}

/// The tables that have walstorm's name and exactly its columns.
std::string own_tables(pqxx::transaction_base& transaction) {
  std::vector<std::string> names;
  names.reserve(std::size(wire::kTaskRunColumns));
  for (const wire::TaskRunColumn& column : wire::kTaskRunColumns)
    names.push_back(transaction.quote(std::string(column.name)));
  std::sort(names.begin(), names.end());  // byte by byte, as the collation "C" does
  return fmt::format(
      "SELECT c.oid, c.relnamespace FROM pg_class c WHERE c.relkind = 'r' AND c.relname = {} AND "
      "ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND "
      "NOT a.attisdropped ORDER BY a.attname::text COLLATE \"C\") = ARRAY[{}]",
      transaction.quote(std::string(wire::kTaskRunTable)), fmt::join(names, ", "));
}

/// What stands in the connected database beside the things that walstorm leaves in one: its table, the schema
/// that holds it, and publications of nothing else. As PostgreSQL describes it: "function f(integer)".
std::vector<std::string> foreign_things(pqxx::transaction_base& transaction) {
  const auto catalogs = object_catalogs(transaction);
  const std::string no_schema = catalogs.contains("pg_publication_namespace")
                                    ? "AND NOT EXISTS (SELECT FROM pg_publication_namespace WHERE pnpubid = "
                                      "p.oid)"
                                    : "";
  const auto rows = query(
      transaction,
      fmt::format(
          "WITH things AS ({}), own AS ({}) SELECT pg_describe_object(class, id, 0) FROM things t "
          // Parts of something else, which is listed itself: indexes, row types, an extension's members, ...
          "WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = t.class AND d.objid = t.id AND "
          "d.deptype IN ('i', 'a', 'e', 'P', 'S')) "
          "AND NOT (class = 'pg_class'::regclass AND id IN (SELECT oid FROM own)) "
          "AND NOT (class = 'pg_namespace'::regclass AND EXISTS (SELECT FROM pg_namespace n WHERE n.oid = id "
          "AND (n.nspname = 'public' OR n.nspname ~ '^pg_(toast_)?temp_' OR n.oid IN (SELECT relnamespace "
          "FROM own)))) "
          "AND NOT (class = 'pg_publication'::regclass AND EXISTS (SELECT FROM pg_publication p WHERE p.oid "
          "= "
          "id AND NOT p.puballtables {} AND NOT EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = "
          "p.oid AND r.prrelid NOT IN (SELECT oid FROM own)))) "
          "ORDER BY 1",
          all_objects(catalogs), own_tables(transaction), no_schema));
  std::vector<std::string> things;
  for (const auto& row : rows) things.push_back(row[0].as<std::string>());
  return things;
}

std::string listed(const std::vector<std::string>& things) {
  const std::size_t shown = std::min(things.size(), kThingsShown);
  std::string list =
      fmt::format("{}", fmt::join(things.begin(), things.begin() + static_cast<long>(shown), ", "));
  if (shown < things.size()) list += fmt::format(" and {} more", things.size() - shown);
  return list;
}

}  // namespace

void require_ours(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  const auto mark =
      query_row(transaction,
                "SELECT current_database(), coalesce(shobj_description(oid, 'pg_database'), '') "
                "FROM pg_database WHERE datname = current_database()");
  if (mark[1].as<std::string>() == kOurMark) return;
  const auto things = foreign_things(transaction);
  if (things.empty()) return;
  const auto name = mark[0].as<std::string>();
  throw Error(
      ErrorKind::unavailable,
      fmt::format("the database \"{}\" holds {}, which walstorm did not make, and walstorm empties and drops "
                  "its database: name another one with database.profilingDatabase. If all of it may go: "
                  "COMMENT ON DATABASE {} IS '{}'",
                  name, listed(things), quoted_identifier(name), kOurMark));
}

bool create_database(pqxx::connection& connection, const std::string& database) {
  pqxx::nontransaction transaction(connection);
  const auto found = query(transaction, "SELECT 1 FROM pg_database WHERE datname = $1", database);
  if (!found.empty()) return false;
  const std::string name = transaction.quote_name(database);
  const auto other_encoding =
      query(transaction,
            "SELECT 1 FROM pg_database WHERE datname = 'template0' AND pg_encoding_to_char(encoding) <> $1",
            std::string(kOurEncoding));
  // Of template0, so that it is empty, whatever the server's owner puts into new databases, and may have
  // another encoding. The server's locale stays where it is one of UTF8.
  transaction.exec(fmt::format("CREATE DATABASE {} TEMPLATE template0 {}", name,
                               other_encoding.empty() ? "ENCODING 'UTF8'" : kUtf8Options));
  transaction.exec(
      fmt::format("COMMENT ON DATABASE {} IS {}", name, transaction.quote(std::string(kOurMark))));
  return true;
}

void drop_database(pqxx::connection& connection, const std::string& database) {
  pqxx::nontransaction transaction(connection);
  transaction.exec("DROP DATABASE IF EXISTS " + transaction.quote_name(database));
}

std::string create_database_sql(std::string_view database, std::string_view owner) {
  return fmt::format("CREATE DATABASE {} OWNER {} TEMPLATE template0 {}", quoted_identifier(database),
                     quoted_identifier(owner), kUtf8Options);
}

}  // namespace walstorm::postgres
