#pragma once

#include <map>
#include <string>
#include <vector>

#include "proto/postgres/environment.h"

namespace walstorm::postgres {

/// Where a PostgreSQL server is and how to log in, as libpq keywords (host, user, password, sslmode, ...).
///
/// Holds secrets: connection strings made from it go to libpq and into Setup frames, never into a message or
/// report.
class Address final {
 public:
  /// Reads a URL (postgresql://...) or a keyword string as their users have them: libpq's own parser decides,
  /// after the parameters that only other drivers know are taken out (driver_parameters.h); of those,
  /// `schema` becomes the search path. Throws Error{config} for what libpq cannot read, and for a port that
  /// is none; `key` names the URL's place in the configuration. What it leaves open is filled in by the
  /// service that it names and by the variables of `environment` (address_defaults.h), so that the connection
  /// strings made of it mean the same in every process.
  [[nodiscard]] static Address parse(const std::string& url, const std::string& key = "database.url",
                                     const Variables& environment = take_postgres_variables());

  /// A server on a unix socket in folder `socket_dir`: a private one, of which the environment knows nothing.
  [[nodiscard]] static Address on_socket(const std::string& socket_dir, const std::string& user);

  /// A connection string for one database, with that application_name.
  [[nodiscard]] std::string conninfo(const std::string& database, const std::string& application_name) const;

  /// The same without its password, for the argv of a program: that stands in `passfile`, see
  /// passfile_line().
  [[nodiscard]] std::string conninfo_with_passfile(const std::string& database,
                                                   const std::string& passfile) const;
  /// The password as a password file has it (libpq, "The Password File"); empty when the URL has none.
  [[nodiscard]] std::string passfile_line() const;
  /// Throws Error{config} for a secret that no password file can hold.
  void require_passfile_is_enough() const;
  /// The same server by another search path.
  [[nodiscard]] Address with_schema(const std::string& schema) const;

  /// The database that the URL names; empty when it names none.
  [[nodiscard]] const std::string& database() const { return database_; }
  /// Prisma's `schema`; empty means the server's default search path.
  [[nodiscard]] const std::string& schema() const { return schema_; }
  /// The URL's parameters that were left out because they concern another driver alone.
  [[nodiscard]] const std::vector<std::string>& ignored() const { return ignored_; }
  /// The same as a sentence; empty for none.
  [[nodiscard]] std::string ignored_text() const;
  /// PostgreSQL's variables that took part, by name.
  [[nodiscard]] const std::vector<std::string>& variables() const { return variables_; }
  /// Who connects where, without the password, and which variables had a say in it: `127.0.0.1:5432 as
  /// "load"`, `db (10.0.0.7):5432 (with PGHOSTADDR from the environment)`.
  [[nodiscard]] std::string shown() const;

 private:
  [[nodiscard]] std::string conninfo_of(std::map<std::string, std::string> keywords) const;

  std::map<std::string, std::string> keywords_;
  std::string database_;
  std::string schema_;
  std::vector<std::string> ignored_;
  std::vector<std::string> variables_;
};

}  // namespace walstorm::postgres
