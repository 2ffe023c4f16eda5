#include "orchestrator/postgres/table_shape.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

#include <pqxx/transaction>

#include "orchestrator/postgres/query.h"
#include "orchestrator/postgres/replication_setup.h"
#include "proto/wire/error.h"
#include "proto/workload/task_run_table.h"

namespace walstorm::postgres {
namespace {

using wire::Error;
using wire::ErrorKind;

constexpr std::string_view kHashColumn = wire::kTaskRunColumns[wire::task_run_column("row_hash")].name;

/// Whether what walstorm writes to a column of type `ours` arrives unchanged, in text, binary and COPY alike.
bool takes(wire::ColumnType ours, const std::string& type) {
  switch (ours) {
    case wire::ColumnType::text:
      return type == "text" || type == "character varying";
    case wire::ColumnType::timestamptz:
      // Whole milliseconds are written.
      return type == "timestamp with time zone" ||
             (type.starts_with("timestamp(") && type.ends_with(" with time zone") && type[10] >= '3');
    default:
      return type == wire::postgres_type_name(ours);
  }
}

const TableColumn* find(const TableShape& shape, std::string_view name) {
  const auto found = std::find_if(shape.columns.begin(), shape.columns.end(),
                                  [&](const TableColumn& column) { return column.name == name; });
  return found == shape.columns.end() ? nullptr : &*found;
}

bool is_ours(const TableColumn& column) {
  return std::any_of(wire::kTaskRunColumns.begin(), wire::kTaskRunColumns.end(),
                     [&](const wire::TaskRunColumn& ours) { return ours.name == column.name; });
}

std::string type_wanted(wire::ColumnType type) {
  if (type == wire::ColumnType::text) return "text or character varying without a limit";
  return std::string(wire::postgres_type_name(type));
}

void check_ours(const TableShape& shape, std::vector<std::string>& problems) {
  for (const wire::TaskRunColumn& ours : wire::kTaskRunColumns) {
    const TableColumn* column = find(shape, ours.name);
    if (column == nullptr) {
      if (ours.name != kHashColumn)
        problems.push_back(fmt::format("\"{}\" is missing: {}", ours.name, type_wanted(ours.type)));
    } else if (!takes(ours.type, column->type)) {
      problems.push_back(
          fmt::format("\"{}\" is {}: must be {}", ours.name, column->type, type_wanted(ours.type)));
    } else if (column->generated) {
      problems.push_back(fmt::format("\"{}\" is generated: walstorm writes it", ours.name));
    } else if (ours.nullable && column->not_null) {
      problems.push_back(fmt::format("\"{}\" is NOT NULL: walstorm writes NULL to it too", ours.name));
    }
  }
}

/// Other columns are left to the server, and are not landed: of any type.
void check_others(const TableShape& shape, std::vector<std::string>& problems) {
  for (const TableColumn& column : shape.columns) {
    if (is_ours(column) || !column.not_null || column.has_default) continue;
    problems.push_back(
        fmt::format("\"{}\" is NOT NULL without a default, and walstorm does not write it", column.name));
  }
}

TableShape read_shape(pqxx::transaction_base& transaction, const std::string& oid) {
  TableShape shape;
  const auto table = query_row(
      transaction,
      "SELECT relkind = 'r' AND NOT relispartition, relpersistence = 'p', EXISTS (SELECT FROM pg_index i "
      "JOIN pg_attribute a ON a.attrelid = "
      "i.indrelid AND a.attnum = i.indkey[0] WHERE i.indrelid = c.oid AND "
      "i.indisprimary AND i.indnkeyatts = 1 AND "
      "a.attname = 'id') FROM pg_class c WHERE oid = $1::oid",
      oid);
  shape.plain = table[0].as<bool>();
  shape.logged = table[1].as<bool>();
  shape.keyed_by_id = table[2].as<bool>();
  const auto columns =
      query(transaction,
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull, atthasdef OR attidentity <> '', "
            "attgenerated <> '' OR attidentity = 'a', attgenerated = 'v' FROM pg_attribute "
            "WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            oid);
  for (const auto& row : columns) {
    shape.columns.push_back({row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<bool>(),
                             row[3].as<bool>(), row[4].as<bool>(), row[5].as<bool>()});
  }
  return shape;
}

/// The table's object id. Where the search path does not lead to it, says where it is.
std::string find_table(pqxx::transaction_base& transaction, const std::string& source) {
  const std::string name(wire::kTaskRunTable);
  const auto found =
      query_row(transaction, "SELECT to_regclass($1)::oid::text", transaction.quote_name(name));
  if (!found[0].is_null()) return found[0].as<std::string>();
  const auto elsewhere =
      query(transaction,
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relname = $1 AND c.relkind IN ('r', 'p') LIMIT 1",
            name);
  const std::string what = fmt::format("copy the schema of {}: it has no table \"{}\"", source, name);
  if (elsewhere.empty())
    throw Error(ErrorKind::unavailable, what + "; leave copySchemaFrom out to use walstorm's own");
  throw Error(ErrorKind::unavailable,
              fmt::format("{} on the search path, but one in schema {}: add ?schema={} to the URL", what,
                          elsewhere[0][0].c_str(), elsewhere[0][0].c_str()));
}

TableShape require_shape(pqxx::transaction_base& transaction, const std::string& oid,
                         const std::string& source) {
  TableShape shape = read_shape(transaction, oid);
  const auto problems = shape_problems(shape);
  if (!problems.empty()) {
    throw Error(
        ErrorKind::unavailable,
        fmt::format(
            "copy the schema of {}: walstorm cannot write to its \"{}\":\n  {}\nChange the table there, "
            "or leave copySchemaFrom out to use walstorm's own",
            source, wire::kTaskRunTable, fmt::join(problems, "\n  ")));
  }
  return shape;
}

/// Foreign keys of the table and to it: each write would look into tables that are empty here.
void drop_foreign_keys(pqxx::transaction_base& transaction, const std::string& oid,
                       std::vector<std::string>& notes) {
  const auto keys =
      query(transaction,
            "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint "
            "WHERE contype = 'f' AND conparentid = 0 AND (conrelid = $1::oid OR confrelid = $1::oid) "
            "ORDER BY 1, 2",
            oid);
  std::string names;
  for (const auto& key : keys) {
    query(transaction, fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", key[0].c_str(), key[1].c_str()));
    names += fmt::format("{}{}", names.empty() ? "" : ", ", key[1].c_str());
  }
  if (!names.empty())
    notes.push_back(
        fmt::format("foreign keys of the copied \"{}\" were dropped, its rows have no partners: {}",
                    wire::kTaskRunTable, names));
}

void disable_triggers(pqxx::transaction_base& transaction, const std::string& oid,
                      std::vector<std::string>& notes) {
  const auto row = query_row(transaction,
                             "SELECT string_agg(quote_ident(tgname), ', ' ORDER BY tgname) FROM pg_trigger "
                             "WHERE tgrelid = $1::oid AND NOT tgisinternal AND tgenabled <> 'D'",
                             oid);
  if (row[0].is_null()) return;
  query(transaction, fmt::format("ALTER TABLE \"{}\" DISABLE TRIGGER USER", wire::kTaskRunTable));
  notes.push_back(
      fmt::format("triggers of the copied \"{}\" were disabled: {}", wire::kTaskRunTable, row[0].c_str()));
}

/// "DO ALSO" would write more than was asked for, "DO INSTEAD" something else.
void disable_rules(pqxx::transaction_base& transaction, const std::string& oid,
                   std::vector<std::string>& notes) {
  const auto rules = query(transaction,
                           "SELECT quote_ident(rulename) FROM pg_rewrite WHERE ev_class = $1::oid AND "
                           "ev_enabled <> 'D' ORDER BY 1",
                           oid);
  std::string names;
  for (const auto& rule : rules) {
    query(transaction,
          fmt::format("ALTER TABLE \"{}\" DISABLE RULE {}", wire::kTaskRunTable, rule[0].c_str()));
    names += fmt::format("{}{}", names.empty() ? "" : ", ", rule[0].c_str());
  }
  if (!names.empty())
    notes.push_back(fmt::format("rules of the copied \"{}\" were disabled: {}", wire::kTaskRunTable, names));
}

/// A table that has any takes no update under REPLICA IDENTITY FULL (PostgreSQL 18). They are nowhere in the
/// WAL.
void drop_virtual_columns(pqxx::transaction_base& transaction, const TableShape& shape,
                          std::vector<std::string>& notes) {
  std::string names;
  for (const TableColumn& column : shape.columns) {
    if (!column.is_virtual) continue;
    const std::string name = transaction.quote_name(column.name);
    transaction.exec(fmt::format("ALTER TABLE \"{}\" DROP COLUMN {} CASCADE", wire::kTaskRunTable, name));
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  }
  if (!names.empty())
    notes.push_back(
        fmt::format("virtual columns of the copied \"{}\" were dropped, with the views of them: "
                    "REPLICA IDENTITY FULL allows none: {}",
                    wire::kTaskRunTable, names));
}

void note_other_columns(const TableShape& shape, std::vector<std::string>& notes) {
  std::string names;
  for (const TableColumn& column : shape.columns) {
    if (!is_ours(column) && !column.is_virtual)
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", column.name);
  }
  if (!names.empty())
    notes.push_back(
        fmt::format("columns of the copied \"{}\" that walstorm does not write have what the server "
                    "gives them, and do not land in the sink: {}",
                    wire::kTaskRunTable, names));
}

}  // namespace

std::vector<std::string> shape_problems(const TableShape& shape) {
  std::vector<std::string> problems;
  if (!shape.plain) problems.emplace_back("it is no ordinary table, but a view, partitioned or a partition");
  if (!shape.logged) problems.emplace_back("it is UNLOGGED: its changes are never replicated");
  if (!shape.keyed_by_id) problems.emplace_back("its primary key is not (\"id\")");
  check_ours(shape, problems);
  check_others(shape, problems);
  return problems;
}

void require_fitting_table(pqxx::connection& connection, const std::string& source) {
  pqxx::work transaction(connection);
  (void)require_shape(transaction, find_table(transaction, source), source);
}

std::vector<std::string> adopt_table(pqxx::connection& connection, const std::string& source,
                                     config::ReplicaIdentity identity, const std::string& publication) {
  pqxx::work transaction(connection);
  const std::string oid = find_table(transaction, source);
  const TableShape shape = require_shape(transaction, oid, source);
  std::vector<std::string> notes;
  if (find(shape, kHashColumn) == nullptr) {
    query(transaction,
          fmt::format("ALTER TABLE \"{}\" ADD COLUMN {} bigint", wire::kTaskRunTable, kHashColumn));
    notes.push_back(
        fmt::format("the copied \"{}\" got a column {} for the ledger", wire::kTaskRunTable, kHashColumn));
  }
  drop_foreign_keys(transaction, oid, notes);
  disable_triggers(transaction, oid, notes);
  disable_rules(transaction, oid, notes);
  if (identity == config::ReplicaIdentity::full) drop_virtual_columns(transaction, shape, notes);
  note_other_columns(shape, notes);
  publish_table(transaction, identity, publication);
  transaction.commit();
  return notes;
}

}  // namespace walstorm::postgres
