#include "orchestrator/postgres/connection_trial.h"

#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <poll.h>

#include <libpq-fe.h>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"

namespace walstorm::postgres {
namespace {

using Clock = std::chrono::steady_clock;
using PgConnection = std::unique_ptr<PGconn, void (*)(PGconn*)>;

constexpr std::chrono::seconds kTrialTimeout{10};
/// A backend that was given back is reset first and may not be free at once.
constexpr int kLooksForAnOldBackend = 5;

/// Turns an opening connection until it is open, refused, or the time is over.
PostgresPollingStatusType open(PGconn* connection) {
  const auto deadline = Clock::now() + kTrialTimeout;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd socket{PQsocket(connection),
                  static_cast<short>(status == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (left <= 0 || ::poll(&socket, 1, static_cast<int>(left)) == 0) return PGRES_POLLING_READING;
    status = PQconnectPoll(connection);
  }
  return status;
}

/// libpq tells a refusal's SQLSTATE in its verbose message alone: "...: FATAL:  3D000: database ...
/// \nLOCATION: ...".
TrialAnswer refusal_in(std::string message) {
  TrialAnswer answer;
  message.erase(std::min(message.find("\nLOCATION:"), message.size()));
  message.erase(message.find_last_not_of(" \n") + 1);
  constexpr std::size_t kLength = 5;
  for (auto at = message.find(":  "); at != std::string::npos; at = message.find(":  ", at + 1)) {
    const std::string state = message.substr(at + 3, kLength);
    const bool is_state =
        state.size() == kLength && message.compare(at + 3 + kLength, 2, ": ") == 0 &&
        state.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    if (!is_state) continue;
    answer.sqlstate = state;
    message.erase(at + 3, kLength + 2);
    break;
  }
  answer.said = std::move(message);
  return answer;
}

/// Whether the backend that serves this connection was there before `moment`, a time of the server.
bool is_older_than(pqxx::connection& connection, const std::string& moment) {
  pqxx::nontransaction transaction(connection);
  return query_row(
             transaction,
             fmt::format("SELECT coalesce((SELECT backend_start < {}::timestamptz FROM pg_stat_activity "
                         "WHERE pid = pg_backend_pid()), false)",
                         transaction.quote(moment)))[0]
      .as<bool>();
}

}  // namespace

TrialAnswer try_connection(const std::string& conninfo) {
  const PgConnection connection(PQconnectStart(conninfo.c_str()), PQfinish);
  if (!connection) return {false, "", "out of memory"};
  if (PQstatus(connection.get()) == CONNECTION_BAD) return refusal_in(PQerrorMessage(connection.get()));
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  switch (open(connection.get())) {
    case PGRES_POLLING_OK:
      return {true, "", ""};
    case PGRES_POLLING_FAILED:
      return refusal_in(PQerrorMessage(connection.get()));
    default:
      return {false, "", fmt::format("no answer within {} s", kTrialTimeout.count())};
  }
}

Between what_is_between(pqxx::connection& connection, const std::string& conninfo) {
  std::string before;
  {
    pqxx::nontransaction transaction(connection);
    const auto row = query_row(transaction, "SELECT pg_backend_pid(), clock_timestamp()::text");
    if (row[0].as<int>() == connection.backendpid()) return Between::nothing;
    before = row[1].as<std::string>();
  }
  for (int i = 0; i < kLooksForAnOldBackend; ++i) {
    pqxx::connection another(conninfo);
    if (is_older_than(another, before)) return Between::pooler;
  }
  return is_poolers_refusal(try_connection(conninfo + " replication=database").said) ? Between::pooler
                                                                                     : Between::proxy;
}

bool is_poolers_refusal(const std::string& said) {
  return said.find("unsupported startup parameter") != std::string::npos;
}

std::string pooler_says() {
  return "leads through a connection pooler (PgBouncer or the like); a run needs sessions of its own, which "
         "hold a lock, and a replication connection, and a pooler lends neither";
}

std::string pooler_todo() {
  return "name PostgreSQL itself, by its own host and port (hosted ones call it the direct connection), in "
         "database.url or DATABASE_URL";
}

}  // namespace walstorm::postgres
