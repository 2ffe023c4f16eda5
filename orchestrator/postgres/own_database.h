#pragma once

#include <string>
#include <string_view>

#include <pqxx/connection>

/// walstorm's database on a server: how it is made, and how it is told from somebody's. Jobs for
/// Session::ask.
namespace walstorm::postgres {

/// The comment on databases that walstorm made: by it they are known to be its own.
inline constexpr std::string_view kOurMark =
    "made by walstorm: emptied by its runs, dropped by walstorm clean";

/// The encoding of those databases: what is written is any Unicode text.
inline constexpr std::string_view kOurEncoding = "UTF8";

/// Creates the database, empty and in UTF8 whatever the server's own are, and marks it as walstorm's; leaves
/// one that is there as it is (false). `connection` is to another one, as it is for drop_database().
bool create_database(pqxx::connection& connection, const std::string& database);
/// Drops it if it is there.
void drop_database(pqxx::connection& connection, const std::string& database);

/// What makes such a database, as a person may run it who has the right to.
[[nodiscard]] std::string create_database_sql(std::string_view database, std::string_view owner);

/// Throws Error{unavailable} unless the connected database is walstorm's to empty and drop: it is marked as
/// made by walstorm, or there is nothing in it but what an earlier run left, of whatever kind. Names what
/// there is.
void require_ours(pqxx::connection& connection);

}  // namespace walstorm::postgres
