#include "orchestrator/postgres/backend.h"

#include <fmt/format.h>

#include <pqxx/except>
#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"

namespace walstorm::postgres {
namespace {

/// For the connection that sees a session off: a server that does not answer is not waited for.
constexpr const char* kSeeOffLimits =
    " connect_timeout=5 tcp_user_timeout=5000 application_name=walstorm-ends-a-session";
constexpr const char* kSeeOffStatementLimit = "SET statement_timeout = '5s'";
constexpr int kEndTimeoutMs = 3000;

std::string synchronous_wait(pqxx::transaction_base& transaction) {
  const auto names = query_row(transaction, "SHOW synchronous_standby_names")[0].as<std::string>();
  const auto connected =
      query_row(transaction,
                "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')")[0]
          .as<int>();
  return fmt::format(
      "waits for a synchronous standby: synchronous_standby_names is '{}', and {}: start the standby, or "
      "take it "
      "out of synchronous_standby_names (SELECT pg_reload_conf() after that)",
      names, connected == 0 ? "none that it names is connected" : "too few of them answer");
}

std::string lock_wait(pqxx::transaction_base& transaction, int pid) {
  const auto holders = query(transaction, "SELECT unnest(pg_blocking_pids($1))", pid);
  if (holders.empty()) return "waits for a lock";
  const int holder = holders[0][0].as<int>();
  // 0: a prepared transaction, which has no process.
  if (holder == 0)
    return "waits for a lock that a prepared transaction holds (SELECT * FROM pg_prepared_xacts)";
  return fmt::format("waits for a lock that {} holds{}: end that, or SELECT pg_terminate_backend({})",
                     shown_backend(transaction, holder),
                     holders.size() > 1 ? fmt::format(", and {} others", holders.size() - 1) : "", holder);
}

std::string wait_text(pqxx::transaction_base& transaction, int pid, const std::string& type,
                      const std::string& event) {
  if (event == "SyncRep") return synchronous_wait(transaction);
  if (type == "Lock") return lock_wait(transaction, pid);
  if (event.empty()) return "is at work and waits for nothing";
  return fmt::format("is at work (it waits for {}/{})", type, event);
}

}  // namespace

BackendId own_backend(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  // Elsewhere than on Linux older servers refuse the setting.
  const auto row = query_row(transaction,
                             "SELECT pg_backend_pid(), coalesce((SELECT extract(epoch FROM "
                             "backend_start)::text FROM pg_stat_activity "
                             "WHERE pid = pg_backend_pid()), ''), CASE WHEN version() ~ 'linux' THEN "
                             "set_config('client_connection_check_interval', '2s', false) END");
  return {row[0].as<int>(), row[1].as<std::string>()};
}

std::string what_it_waits_for(pqxx::transaction_base& transaction, const BackendId& backend) {
  const auto found =
      query(transaction,
            "SELECT coalesce(wait_event_type, ''), coalesce(wait_event, '') FROM pg_stat_activity "
            "WHERE pid = $1 AND ($2 = '' OR extract(epoch FROM backend_start)::text = $2) AND "
            "coalesce(state, '') NOT LIKE 'idle%'",
            backend.pid, backend.started);
  if (found.empty()) return {};
  return wait_text(transaction, backend.pid, found[0][0].as<std::string>(), found[0][1].as<std::string>());
}

std::vector<std::string> waiting_sessions(pqxx::transaction_base& transaction,
                                          const std::string& applications) {
  const auto waits = query(
      transaction,
      "SELECT count(*), min(pid), wait_event_type, min(wait_event) FROM pg_stat_activity WHERE datname = "
      "current_database() AND starts_with(application_name, $1) AND (wait_event_type = 'Lock' OR wait_event "
      "= "
      "'SyncRep') AND clock_timestamp() - state_change > interval '3 s' GROUP BY wait_event_type ORDER BY 1 "
      "DESC",
      applications);
  std::vector<std::string> sentences;
  for (const auto& wait : waits) {
    const int count = wait[0].as<int>();
    sentences.push_back(fmt::format(
        "{} {}",
        count == 1 ? "one of the run's sessions" : fmt::format("{} of the run's sessions wait; one", count),
        wait_text(transaction, wait[1].as<int>(), wait[2].as<std::string>(), wait[3].as<std::string>())));
  }
  return sentences;
}

void end_sessions(pqxx::transaction_base& transaction, const std::string& applications,
                  std::chrono::milliseconds timeout) {
  query(transaction,
        "SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity WHERE datname = current_database() AND "
        "starts_with(application_name, $1) AND pid <> pg_backend_pid()",
        applications, timeout.count());
}

std::string shown_backend(pqxx::transaction_base& transaction, int pid) {
  const auto found =
      query(transaction,
            "SELECT coalesce(usename, ''), coalesce(application_name, ''), coalesce(host(client_addr), ''), "
            "to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), coalesce(state, '') FROM "
            "pg_stat_activity WHERE pid = $1",
            pid);
  if (found.empty()) return fmt::format("process {}", pid);
  std::string details;
  const auto add = [&](const char* format, const std::string& text) {
    if (text.empty()) return;
    details += details.empty() ? "" : ", ";
    details += fmt::format(fmt::runtime(format), text);
  };
  add("user \"{}\"", found[0][0].as<std::string>());
  add("application \"{}\"", found[0][1].as<std::string>());
  add("from {}", found[0][2].as<std::string>());
  // Another role's are hidden.
  add("since {} UTC", found[0][3].is_null() ? "" : found[0][3].as<std::string>());
  add("{}", found[0][4].as<std::string>());
  return details.empty() ? fmt::format("process {}", pid) : fmt::format("process {} ({})", pid, details);
}

std::string see_off(const std::string& conninfo, const BackendId& backend) noexcept {
  std::string why;
  try {
    pqxx::connection connection(conninfo + kSeeOffLimits);
    pqxx::nontransaction transaction(connection);
    transaction.exec(kSeeOffStatementLimit);
    why = what_it_waits_for(transaction, backend);
    query(transaction,
          "SELECT pg_terminate_backend(pid, $3) FROM pg_stat_activity WHERE pid = $1 AND ($2 = '' OR "
          "extract(epoch "
          "FROM backend_start)::text = $2)",
          backend.pid, backend.started, kEndTimeoutMs);
  } catch (const std::exception&) {
    // A server that cannot be asked has told what it could.
  }
  return why;
}

}  // namespace walstorm::postgres
