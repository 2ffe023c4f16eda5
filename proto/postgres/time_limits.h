#pragma once

#include <string>

/// The limits that a role, a database or the server may set to how long a session's work takes.
///
/// The load works under them, as the application it stands for does. What walstorm does for itself
/// (preparing, preloading, counting, comparing) has limits of its own, and those of others would only cut it.
namespace walstorm::postgres {

/// Turns them off in a session: statements for one simple query. `server_version` as of PQserverVersion():
/// 170002.
[[nodiscard]] std::string lift_time_limits_sql(int server_version);

/// The same, but only up to the end of the transaction that is open or that the query itself is.
[[nodiscard]] std::string lift_time_limits_for_transaction_sql(int server_version);

}  // namespace walstorm::postgres
