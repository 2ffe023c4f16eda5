#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <pqxx/connection>
#include <pqxx/transaction_base>

/// The server's processes that work for sessions: which one is ours, what it waits for, and how it ends.
namespace walstorm::postgres {

/// Process ids are used again: when it started belongs to it. `started` is empty where the server does not
/// tell.
struct BackendId {
  int pid = 0;
  std::string started;  ///< seconds since 1970: a text that no setting of a session changes
};

/// Asks for this connection's own, and lets the server look now and then whether its client is still there
/// (client_connection_check_interval), where it can: one that is killed does not leave a backend waiting for
/// a lock, and holding others, for ever.
[[nodiscard]] BackendId own_backend(pqxx::connection& connection);

/// What the backend waits for and what to do about it, to follow "its session": "waits for a lock that
/// process 12 (...) holds: ...", "is at work and waits for nothing". Empty when it is not there, or idle.
[[nodiscard]] std::string what_it_waits_for(pqxx::transaction_base& transaction, const BackendId& backend);

/// Of the sessions in this database whose application_name begins with `applications`, those that wait for
/// others (a lock, a synchronous standby) and have done so for some seconds: one sentence for each kind of
/// wait.
[[nodiscard]] std::vector<std::string> waiting_sessions(pqxx::transaction_base& transaction,
                                                        const std::string& applications);

/// Ends the sessions in this database whose application_name begins with `applications`, and waits for their
/// end, for `timeout` at most each.
void end_sessions(pqxx::transaction_base& transaction, const std::string& applications,
                  std::chrono::milliseconds timeout);

/// Who that is: `process 12 (user "app", application "psql", from 10.0.0.7, since 2026-01-31 10:00:00 UTC,
/// idle)`.
[[nodiscard]] std::string shown_backend(pqxx::transaction_base& transaction, int pid);

/// For a session that is given up: looks, over a connection of its own, what its backend waits for, and ends
/// it, so that neither its statement nor its locks stay. Returns as what_it_waits_for; empty also when the
/// server cannot be asked. Blocks, by the limits in it for no longer than kSeeOffMax. Never throws.
[[nodiscard]] std::string see_off(const std::string& conninfo, const BackendId& backend) noexcept;
constexpr std::chrono::seconds kSeeOffMax{20};

}  // namespace walstorm::postgres
