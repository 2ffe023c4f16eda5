#include "orchestrator/postgres/server_probe.h"

#include <cctype>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <pqxx/nontransaction>

#include "orchestrator/postgres/own_database.h"
#include "orchestrator/postgres/query.h"
#include "orchestrator/process/proc_stat.h"
#include "proto/wire/clock.h"
#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

/// A setting as a number in its own unit; -1 where the server has no such setting.
std::int64_t number(pqxx::transaction_base& transaction, const std::string& name) {
  const auto found = query(transaction, "SELECT setting::bigint FROM pg_settings WHERE name = $1", name);
  return found.empty() ? -1 : found[0][0].as<std::int64_t>();
}

/// Whom and what to probe for; a job owns what it needs.
struct Question {
  std::string home_conninfo, conninfo;  // the latter to the profiling database
  std::string database, slot;
  bool made_anew = false;  // the database, also when it is there
  bool names_schema = false;
};

void probe_role(pqxx::transaction_base& transaction, ServerProbe& probe) {
  // On RDS nobody has the attribute REPLICATION: there, members of rds_replication have the right.
  const auto row = query_row(
      transaction,
      "SELECT rolname, rolsuper OR rolreplication OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = "
      "'rds_replication' AND pg_has_role(r.oid, 'MEMBER')), rolsuper OR rolcreatedb, "
      // Superusers are above it (InitializeSessionUserId(), miscinit.c).
      "CASE WHEN rolsuper THEN -1 ELSE rolconnlimit END, "
      "(SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid AND a.pid <> pg_backend_pid()) "
      "FROM pg_roles r WHERE rolname = current_user");
  probe.role = row[0].as<std::string>();
  probe.may_replicate = row[1].as<bool>();
  probe.may_create_databases = row[2].as<bool>();
  probe.role_connections_max = row[3].as<std::int64_t>();
  probe.role_connections_used = row[4].as<std::int64_t>();
}

/// Of max_connections, those that are kept from the role: for superusers, and since PostgreSQL 16 for members
/// of pg_use_reserved_connections (InitPostgres(), postinit.c).
std::int64_t connections_kept_from_role(pqxx::transaction_base& transaction) {
  return query_row(
             transaction,
             "SELECT CASE WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN 0 ELSE "
             "coalesce(sum(setting::bigint) FILTER (WHERE name = 'superuser_reserved_connections' OR NOT "
             "EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'pg_use_reserved_connections' AND "
             "pg_has_role(r.oid, 'USAGE'))), 0) END FROM pg_settings WHERE name IN "
             "('superuser_reserved_connections', 'reserved_connections')")[0]
      .as<std::int64_t>();
}

void probe_use(pqxx::transaction_base& transaction, ServerProbe& probe) {
  probe.slots_max = number(transaction, "max_replication_slots");
  probe.senders_max = number(transaction, "max_wal_senders");
  probe.connections_max = number(transaction, "max_connections") - connections_kept_from_role(transaction);
  // Walsenders have a limit of their own. Whose kind may not be seen is counted as a client's.
  const auto row = query_row(
      transaction,
      "SELECT (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_stat_replication), "
      "(SELECT count(*) FROM pg_stat_activity a WHERE datid IS NOT NULL AND pid <> pg_backend_pid() AND "
      "coalesce(backend_type, 'client backend') = 'client backend' AND NOT EXISTS (SELECT FROM "
      "pg_stat_replication r WHERE r.pid = a.pid)), pg_backend_pid(), "
      "(SELECT setting FROM pg_settings WHERE name = 'data_directory')");
  probe.slots_used = row[0].as<std::int64_t>();
  probe.senders_used = row[1].as<std::int64_t>();
  probe.connections_used = row[2].as<std::int64_t>();
  probe.backend_pid = row[3].as<pid_t>();
  probe.backend_start_unix_us = backend_start_unix_us(transaction);
  if (!row[4].is_null()) probe.data_directory = row[4].as<std::string>();
}

void probe_standby(pqxx::transaction_base& transaction, ServerProbe& probe) {
  const auto row =
      query_row(transaction,
                "SELECT pg_is_in_recovery(), coalesce((SELECT sender_host || ':' || sender_port FROM "
                "pg_stat_wal_receiver), '')");
  probe.standby = row[0].as<bool>();
  probe.primary = row[1].as<std::string>();
}

/// What commits wait for.
void probe_standbys(pqxx::transaction_base& transaction, ServerProbe& probe) {
  probe.synchronous_commit = query_row(transaction, "SHOW synchronous_commit")[0].as<std::string>();
  probe.synchronous_standby_names =
      query_row(transaction, "SHOW synchronous_standby_names")[0].as<std::string>();
  const auto row =
      query_row(transaction,
                "SELECT count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')), count(*) FILTER "
                "(WHERE sync_state IS NULL) FROM pg_stat_replication");
  if (row[1].as<std::int64_t>() == 0) probe.synchronous_standbys = row[0].as<std::int64_t>();
}

/// A setting as the role's sessions in a new database will have it: without what is set for this one.
std::string setting_when_new(pqxx::transaction_base& transaction, const std::string& name) {
  return query_row(
             transaction,
             "SELECT CASE WHEN source NOT IN ('database', 'database user') THEN setting ELSE coalesce("
             "(SELECT substr(c, length(name) + 2) FROM pg_db_role_setting d JOIN pg_roles r ON r.oid = "
             "d.setrole, unnest(d.setconfig) c WHERE d.setdatabase = 0 AND r.rolname = current_user AND "
             "starts_with(c, name || '=')), "
             "(SELECT substr(c, length(name) + 2) FROM pg_db_role_setting d, unnest(d.setconfig) c WHERE "
             "d.setdatabase = 0 AND d.setrole = 0 AND starts_with(c, name || '=')), boot_val) END "
             "FROM pg_settings WHERE name = $1",
             name)[0]
      .as<std::string>();
}

constexpr const char* kReadOnly = "default_transaction_read_only";

/// Of a database that is there, by the role's own session in it.
void probe_inside(const Question& question, TargetProbe& target) {
  pqxx::connection inside(question.conninfo);
  pqxx::nontransaction transaction(inside);
  const auto row = query_row(
      transaction,
      "SELECT current_setting('default_transaction_read_only')::bool, current_setting('search_path'), "
      "coalesce(current_schema(), ''), coalesce(has_schema_privilege(current_schema(), 'CREATE'), true), "
      "has_database_privilege(current_database(), 'CREATE')");
  target.read_only = row[0].as<bool>();
  target.search_path = row[1].as<std::string>();
  target.schema = row[2].as<std::string>();
  // The system's own are no place for a table, also where the role is a superuser's.
  if (target.schema.starts_with("pg_")) target.schema.clear();
  target.may_create_in_schema = row[3].as<bool>();
  target.may_create_in = row[4].as<bool>();
}

/// Whether PostgreSQL let somebody in as far as to see that there is no such database: pg_hba.conf, password
/// and the right to replicate are looked at before that (InitPostgres(), postinit.c).
bool no_such_database(const TrialAnswer& answer) {
  return answer.sqlstate == "3D000";
}

void probe_target(pqxx::transaction_base& transaction, const Question& question, TargetProbe& target) {
  const auto found =
      query(transaction,
            "SELECT pg_has_role(datdba, 'USAGE'), CASE WHEN (SELECT rolsuper FROM pg_roles "
            "WHERE rolname = current_user) THEN -1 ELSE datconnlimit END, (SELECT count(*) FROM "
            "pg_stat_activity a WHERE a.datid = d.oid AND a.pid <> pg_backend_pid()), "
            "pg_encoding_to_char(encoding), coalesce(shobj_description(oid, 'pg_database') = $2, false) "
            "FROM pg_database d WHERE datname = $1",
            question.database, std::string(kOurMark));
  target.exists = !found.empty();
  target.owned = target.exists && found[0][0].as<bool>();
  if (target.exists) {
    target.encoding = found[0][3].as<std::string>();
    target.marked = found[0][4].as<bool>();
  }
  if (target.exists && !question.made_anew) {
    target.connections_max = found[0][1].as<std::int64_t>();
    target.connections_used = found[0][2].as<std::int64_t>();
  }
  const auto refusal = [](const TrialAnswer& answer) {
    return answer.let_in || no_such_database(answer) ? std::nullopt : std::optional(answer);
  };
  target.refused = refusal(try_connection(question.conninfo));
  target.replication_refused = refusal(try_connection(question.conninfo + " replication=database"));
  if (target.exists && !question.made_anew) {
    if (!target.refused) probe_inside(question, target);
  } else {
    target.read_only =
        query_row(transaction, fmt::format("SHOW {}", kReadOnly))[0].as<std::string>() == "on" ||
        setting_when_new(transaction, kReadOnly) == "on";
    target.search_path = setting_when_new(transaction, "search_path");
    target.schema = schema_when_new(target.search_path);
  }
  // A schema that the URL names is made where there is none; that of a copy comes with it.
  if (target.schema.empty() && (question.names_schema || question.made_anew)) target.schema = "public";
}

ServerProbe probe(pqxx::connection& connection, const Question& question) {
  ServerProbe probe;
  probe.between = what_is_between(connection, question.home_conninfo);
  if (probe.between == Between::pooler) return probe;
  pqxx::nontransaction transaction(connection);
  probe.version = query_row(transaction, "SHOW server_version")[0].as<std::string>();
  probe.version_number = query_row(transaction, "SHOW server_version_num")[0].as<int>();
  probe.wal_level = query_row(transaction, "SHOW wal_level")[0].as<std::string>();
  probe.slot_wal_keep_mb = number(transaction, "max_slot_wal_keep_size");
  probe.wal_sender_timeout_ms = number(transaction, "wal_sender_timeout");
  const auto idle = query(transaction,
                          "SELECT setting::bigint * CASE unit WHEN 'min' THEN 60 ELSE 1 END FROM pg_settings "
                          "WHERE name = 'idle_replication_slot_timeout'");
  if (!idle.empty()) probe.idle_slot_timeout_sec = idle[0][0].as<std::int64_t>();
  probe_role(transaction, probe);
  probe_use(transaction, probe);
  probe.home_encoding = query_row(transaction, "SHOW server_encoding")[0].as<std::string>();
  probe_standby(transaction, probe);
  probe_target(transaction, question, probe.target);
  probe_standbys(transaction, probe);
  const auto named = query(transaction,
                           "SELECT coalesce(database, ''), coalesce(active_pid, 0) FROM pg_replication_slots "
                           "WHERE slot_name = $1",
                           question.slot);
  if (!named.empty()) probe.slot = NamedSlot{named[0][0].as<std::string>(), named[0][1].as<int>()};
  return probe;
}

/// The names of a search path, as SplitIdentifierString() (varlena.c) reads them.
std::vector<std::string> names_in(const std::string& search_path) {
  std::vector<std::string> names{""};
  bool quoted = false;
  for (const char c : search_path) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      names.emplace_back();
    } else if (quoted || std::isspace(static_cast<unsigned char>(c)) == 0) {
      names.back() += quoted ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return names;
}

/// Trials and questions together; each has a deadline of its own.
constexpr std::chrono::seconds kProbeTimeout{60};

/// What helps against a refusal of the first connection; empty where its own words have to do. Files are
/// called the same in every language that a server or libpq may speak.
std::string todo_about(std::string_view said) {
  if (said.find("definition of service") != std::string_view::npos) {
    return "write it into ~/.pg_service.conf or the file that PGSERVICEFILE names, or take service= out of "
           "the "
           "URL";
  }
  if (said.find("pg_hba.conf") != std::string_view::npos)
    return "let the role in there, or name in the URL a database that it may enter";
  return {};
}

/// Asks by a session that is the first to its server. A pooler may refuse it: `refused` is the answer then.
template <typename Answer>
Answer through(Session& session, std::function<Answer(pqxx::connection&)> job, Answer (*refused)()) {
  try {
    return session.ask<Answer>("inspect the server", kProbeTimeout, 0, std::move(job));
  } catch (const wire::Error& error) {
    if (const std::string todo = todo_about(error.what()); !todo.empty())
      throw wire::Error(error.kind(), fmt::format("{}: {}", error.what(), todo));
    if (!is_poolers_refusal(error.what())) throw;
  }
  return refused();
}

}  // namespace

std::string schema_when_new(const std::string& search_path) {
  for (const std::string& name : names_in(search_path)) {
    if (name == "public") return name;
    if (name == "pg_catalog" || name == "information_schema") break;
  }
  return {};
}

std::int64_t backend_start_unix_us(pqxx::transaction_base& transaction) {
  return query_row(transaction,
                   "SELECT coalesce(max((extract(epoch FROM backend_start) * 1000000)::bigint), 0) "
                   "FROM pg_stat_activity WHERE pid = pg_backend_pid()")[0]
      .as<std::int64_t>();
}

ServerProbe probe_server(Session& at_home, const Address& address, const std::string& home,
                         const config::Config& config) {
  const std::string& database = config.database.profiling_database;
  const Question question{address.conninfo(home, "walstorm-check"),
                          address.conninfo(database, "walstorm-check"),
                          database,
                          config.consumer.slot_name,
                          config.database.copy_schema_from.has_value(),
                          !address.schema().empty()};
  return through<ServerProbe>(
      at_home, [question](auto& connection) { return probe(connection, question); },
      [] {
        ServerProbe pooler;
        pooler.between = Between::pooler;
        return pooler;
      });
}

void require_no_pooler(Session& session, const std::string& conninfo) {
  const auto between = through<Between>(
      session, [conninfo](auto& connection) { return what_is_between(connection, conninfo); },
      [] { return Between::pooler; });
  if (between == Between::pooler) {
    throw wire::Error(wire::ErrorKind::unavailable,
                      fmt::format("connection {}: {}", pooler_says(), pooler_todo()));
  }
}

std::optional<std::filesystem::path> local_data_folder(const ServerProbe& probe) {
  if (probe.data_directory.empty() ||
      !process::is_local_backend(probe.backend_pid, probe.backend_start_unix_us)) {
    return std::nullopt;
  }
  return probe.data_directory;
}

wire::ClockOffset compare_clocks(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  const wire::SystemClock clock;
  std::vector<wire::ClockRoundTrip> round_trips;
  for (int i = 0; i < wire::kClockRoundTrips; ++i) {
    wire::ClockRoundTrip trip{clock.unix_us(), 0, 0};
    trip.other_unix_us = query_row(transaction, wire::kClockSql)[0].as<std::int64_t>();
    trip.answered_unix_us = clock.unix_us();
    round_trips.push_back(trip);
  }
  const auto offset = wire::estimate_clock_offset(round_trips);
  if (!offset)
    throw wire::Error(wire::ErrorKind::unavailable, "compare the clocks: ours was set back meanwhile");
  return *offset;
}

std::string clock_text(const wire::ClockOffset& offset) {
  const double error_ms = static_cast<double>(offset.error_us) / 1000;
  if (offset.known_us() == 0) return fmt::format("the same as this host's within {:.2f} ms", error_ms);
  return fmt::format("{} this host's by {:.2f} ms (+- {:.2f} ms)",
                     offset.ahead_us < 0 ? "ahead of" : "behind",
                     static_cast<double>(std::abs(offset.ahead_us)) / 1000, error_ms);
}

}  // namespace walstorm::postgres
