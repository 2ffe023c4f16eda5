#pragma once

#include <string>

#include <pqxx/connection>

/// Connections made to see whether they are let in, and what they lead to. Nothing is made or held by them.
/// They block, for kTrialTimeout at most each: parts of a job for Session::ask.
namespace walstorm::postgres {

/// What came of a connection.
struct TrialAnswer {
  bool let_in = false;
  std::string sqlstate;  ///< the server's, when it refused; empty where no server answered
  std::string said;      ///< against it, on one line
};

/// Connects to what `conninfo` names, and ends that.
[[nodiscard]] TrialAnswer try_connection(const std::string& conninfo);

/// What stands between a client and its PostgreSQL.
enum class Between {
  nothing,
  proxy,   ///< it answers logins itself, and gives each connection a backend of its own
  pooler,  ///< it lends backends that others used before
};

/// `connection` is one to `conninfo`. Whoever answers a login for PostgreSQL also names a process of his own
/// invention for it (the protocol's BackendKeyData). A pooler is told from a proxy by a backend that is older
/// than the connection it serves, or by its refusal of what belongs to a connection of one's own.
[[nodiscard]] Between what_is_between(pqxx::connection& connection, const std::string& conninfo);

/// Whether a refusal is a pooler's own: of a startup parameter that it cannot hand on, such as `replication`.
[[nodiscard]] bool is_poolers_refusal(const std::string& said);

/// Why none will do, and what to use instead; for a message that begins with what was asked.
[[nodiscard]] std::string pooler_says();
[[nodiscard]] std::string pooler_todo();

}  // namespace walstorm::postgres
