#pragma once

#include <string>
#include <vector>

#include <pqxx/connection>

#include "orchestrator/config/config.h"

/// A copied schema's "TaskRun": whether walstorm can write to it, and what it takes to measure with it.
namespace walstorm::postgres {

struct TableColumn {
  std::string name;
  std::string type;  ///< as format_type() says it: "character varying(30)"
  bool not_null = false;
  bool has_default = false;  ///< by DEFAULT, identity or generation
  bool generated = false;    ///< takes no value: GENERATED ALWAYS
  bool is_virtual = false;   ///< generated when it is read
};

struct TableShape {
  bool plain = true;        ///< an ordinary table, neither partitioned, nor a partition, nor a view
  bool logged = true;       ///< its changes go to the WAL
  bool keyed_by_id = true;  ///< its primary key is ("id")
  std::vector<TableColumn> columns;
};

/// All that keeps walstorm from writing to such a table, a line each, every column named; empty when nothing
/// does. A column row_hash may be missing: it is walstorm's own to add.
[[nodiscard]] std::vector<std::string> shape_problems(const TableShape& shape);

/// A job for Session::ask, in the database that is to be copied: throws what adopt_table() would, and changes
/// nothing.
void require_fitting_table(pqxx::connection& connection, const std::string& source);

/// A job for Session::ask, in the profiling database, behind the copy. Checks "TaskRun", adds row_hash, and
/// takes off what would distort a load or stop it: foreign keys, triggers, rules, virtual columns. Returns
/// notes that say so. Throws Error{unavailable} with all problems when there is no "TaskRun" on the search
/// path or none that walstorm can write to. `source` names where it was copied from.
std::vector<std::string> adopt_table(pqxx::connection& connection, const std::string& source,
                                     config::ReplicaIdentity identity, const std::string& publication);

}  // namespace walstorm::postgres
