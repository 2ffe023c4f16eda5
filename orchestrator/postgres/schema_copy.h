#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"
#include "orchestrator/postgres/address/address.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/process/private_folder.h"

/// A schema, without rows, from one database to another: pg_dump writes an archive, pg_restore makes a script
/// of what is to be copied of it, psql carries that out in one transaction. The source is read, never
/// changed.
namespace walstorm::postgres {

/// pg_dump, and the pg_restore and psql beside it.
struct DumpTools {
  std::filesystem::path pg_dump, pg_restore, psql;
  int major = 0;  ///< PostgreSQL's version of them
};

/// The oldest on this machine (Debian's /usr/lib/postgresql/*/bin, PATH) that dumps a server of version
/// `server_major`: pg_dump refuses servers newer than itself, and what a much newer one writes an old server
/// may not take. Throws Error{unavailable} that says what to install.
[[nodiscard]] DumpTools find_dump_tools(process::EventLoop& loop, int server_major);

/// One database of a server.
struct DatabaseAt {
  Address address;
  std::string database;

  /// "app at 127.0.0.1:5432 as "load""
  [[nodiscard]] std::string shown() const;
};

/// Where `settings` has the schema copied from; nullopt when it does not. A name means a database of the
/// server at `address`. Throws Error{config} for a URL that cannot be read or names no database.
[[nodiscard]] std::optional<DatabaseAt> schema_source(const config::Database& settings,
                                                      const Address& address);

/// The schema of a database, in a file of a temporary folder that goes with this object. Both steps are
/// interruptible and throw Error{unavailable} with what pg_dump or psql said.
class SchemaDump final {
 public:
  /// Dumps; reads `source`, and changes nothing.
  SchemaDump(process::EventLoop& loop, DumpTools tools, const DatabaseAt& source);
  SchemaDump(const SchemaDump&) = delete;
  SchemaDump& operator=(const SchemaDump&) = delete;

  /// Policies, row security, user mappings and event triggers are not copied: they name roles that the target
  /// may not have, or watch statements that are walstorm's. Says how many of each there were; empty for none.
  [[nodiscard]] const std::string& left_out() const { return left_out_; }

  /// Restores it into the empty database `target`, whose server has the settings `target_settings`; all of it
  /// or nothing.
  void restore_into(const DatabaseAt& target, const std::set<std::string>& target_settings);

 private:
  void make_of_archive(std::vector<std::string> arguments);
  [[nodiscard]] std::filesystem::path password_file(const Address& address) const;

  process::EventLoop& loop_;
  const DumpTools tools_;
  const std::string source_;  // in messages
  const process::PrivateFolder folder_;
  std::string left_out_;
};

/// pg_restore's list of an archive, split: what is copied, and of what is not how many there are by their
/// kind.
struct ArchiveList {
  std::string copied;
  std::map<std::string, int> left_out;
};
[[nodiscard]] ArchiveList split_archive_list(const std::string& list);

/// A dump without the statements of its preamble (SET name = value) that set what a server with `settings`
/// does not know: pg_dump sets all that its own version knows.
[[nodiscard]] std::string without_unknown_settings(const std::string& dump,
                                                   const std::set<std::string>& settings);

}  // namespace walstorm::postgres
