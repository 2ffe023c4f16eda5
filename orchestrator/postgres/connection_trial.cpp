#include "orchestrator/postgres/connection_trial.h"

#include <chrono>
#include <fmt/format.h>

#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "proto/postgres/connection.h"

namespace walstorm::postgres {
namespace {

constexpr std::chrono::seconds kTrialTimeout{10};
/// A backend that was given back is reset first and may not be free at once.
constexpr int kLooksForAnOldBackend = 5;

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
  try {
    (void)open(conninfo, {}, kTrialTimeout);
    return {true, "", ""};
  } catch (const Refused& refused) {
    return {false, refused.sqlstate(), refused.what()};
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
