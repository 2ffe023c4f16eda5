#include "orchestrator/postgres/readiness.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>

#include "orchestrator/postgres/address/identifier.h"
#include "orchestrator/postgres/own_database.h"
#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

using config::Finding;
using config::Level;

constexpr int kOldestMajor = 14;
constexpr int kNewestMajor = 18;
/// Besides the writers: the orchestrator's sessions and the consumer's.
constexpr std::int64_t kOwnConnections = 4;
/// The consumer answers every second; a hiccup of the machine is longer than this now and then.
constexpr std::int64_t kWalSenderTimeoutMsMin = 5'000;
constexpr std::int64_t kIdleSlotTimeoutSecMin = 60;

Finding version(const ServerProbe& probe) {
  const int major = probe.version_number / 10'000;
  if (major >= kOldestMajor && major <= kNewestMajor) return {Level::ok, "version", probe.version, ""};
  return {Level::problem, "version", fmt::format("PostgreSQL {} is not supported", probe.version),
          "use 14 to 18 (13 has neither bit_xor nor binary pgoutput)"};
}

/// The first major version that speaks version i + 1 of pgoutput (src/include/replication/logicalproto.h).
/// That settles `streaming` too: "on" came with 2, "parallel" with 4.
constexpr std::array kFirstMajorOfProtocol{10, 14, 15, 16};

Finding protocol(const ServerProbe& probe, const config::Consumer& consumer) {
  const int first = kFirstMajorOfProtocol.at(consumer.proto_version - 1);
  const int major = probe.version_number / 10'000;
  if (major >= first) return {Level::ok, "protocol", fmt::format("pgoutput {}", consumer.proto_version), ""};
  const auto spoken = std::count_if(kFirstMajorOfProtocol.begin(), kFirstMajorOfProtocol.end(),
                                    [major](int needs) { return needs <= major; });
  return {Level::problem, "protocol",
          fmt::format("version {} came with PostgreSQL {}, and this server is {}", consumer.proto_version,
                      first, probe.version),
          fmt::format(
              "set consumer.protoVersion to {}{}, or use a newer server", spoken,
              consumer.streaming == config::Streaming::parallel ? " and consumer.streaming to \"on\"" : "")};
}

Finding wal_level(const ServerProbe& probe) {
  if (probe.wal_level == "logical") return {Level::ok, "wal_level", "is logical", ""};
  return {Level::problem, "wal_level", "is " + probe.wal_level,
          "set it to logical (ALTER SYSTEM SET wal_level = logical) and restart PostgreSQL"};
}

Finding role(const ServerProbe& probe) {
  if (probe.may_replicate) return {Level::ok, "role", fmt::format("\"{}\" may replicate", probe.role), ""};
  return {Level::problem, "role", fmt::format("\"{}\" has no right to replicate", probe.role),
          fmt::format("ALTER ROLE {0} REPLICATION (on RDS: GRANT rds_replication TO {0})",
                      quoted_identifier(probe.role))};
}

Finding database(const ServerProbe& probe, const config::Database& settings) {
  const std::string& name = settings.profiling_database;
  Finding finding{Level::problem, "database", "", ""};
  const bool made_anew = settings.copy_schema_from.has_value() || made_anew_for_encoding(probe);
  const std::string give_it =
      fmt::format("ALTER DATABASE {} OWNER TO {}", quoted_identifier(name), quoted_identifier(probe.role));
  if (!probe.target.exists || made_anew) {
    finding.says =
        fmt::format("\"{}\" {}", name, probe.target.exists ? "will be made anew" : "will be created");
    finding.level = probe.may_create_databases ? Level::ok : Level::problem;
    if (finding.level == Level::ok && (!probe.target.exists || probe.target.owned)) return finding;
    finding.level = Level::problem;
    finding.says =
        probe.may_create_databases
            ? fmt::format("\"{}\" is there and \"{}\" does not own it", name, probe.role)
            : fmt::format("\"{}\" may create no database, and \"{}\" {}", probe.role, name,
                          made_anew ? "has to be made anew for the copied schema" : "is not there");
    finding.todo = probe.may_create_databases
                       ? give_it
                       : fmt::format("ALTER ROLE {} CREATEDB{}", quoted_identifier(probe.role),
                                     made_anew ? "" : ", or " + create_database_sql(name, probe.role));
    return finding;
  }
  if (probe.target.owned)
    return {Level::ok, "database", fmt::format("\"{}\" is there; each run empties it", name), ""};
  // Enough privileges without ownership are rare, but possible: the publication needs CREATE on the database.
  finding.level = probe.target.may_create_in ? Level::warning : Level::problem;
  finding.says = fmt::format("\"{}\" is there and \"{}\" does not own it", name, probe.role);
  finding.todo = give_it;
  return finding;
}

/// What to do about a refused connection to the database, by SQLSTATE.
std::string let_in(const TrialAnswer& refused, const std::string& role, const std::string& database) {
  const std::string& state = refused.sqlstate;
  if (state.starts_with("28")) {
    return fmt::format(
        "let \"{}\" into the database \"{}\" by pg_hba.conf from this host (SELECT pg_reload_conf() then), "
        "or "
        "name one that it may enter with database.profilingDatabase",
        role, database);
  }
  if (state == "42501")
    return fmt::format("GRANT CONNECT ON DATABASE {} TO {}", quoted_identifier(database),
                       quoted_identifier(role));
  if (state == "53300") return "raise the limit that it names, or end connections that nobody needs";
  if (state == "55000") {
    return fmt::format(
        "ALTER DATABASE {0} ALLOW_CONNECTIONS true, or DROP DATABASE {0} for a run to make it anew",
        quoted_identifier(database));
  }
  return "the server's log may say more";
}

/// Also of a database that is not there yet: whom it will let in is known before.
Finding access(const ServerProbe& probe, const std::string& database) {
  if (!probe.target.refused)
    return {Level::ok, "access", fmt::format("\"{}\" is let into \"{}\"", probe.role, database), ""};
  return {Level::problem, "access",
          fmt::format("\"{}\" is not let into \"{}\": {}", probe.role, database, probe.target.refused->said),
          let_in(*probe.target.refused, probe.role, database)};
}

Finding replication(const ServerProbe& probe, const std::string& database) {
  const auto& refused = probe.target.replication_refused;
  if (!refused) return {Level::ok, "replication", "a replication connection is let in", ""};
  return {Level::problem, "replication", "a replication connection is refused: " + refused->said,
          refused->sqlstate == "42501"
              ? fmt::format("ALTER ROLE {} REPLICATION", quoted_identifier(probe.role))
              : let_in(*refused, probe.role, database)};
}

Finding transactions(const ServerProbe& probe) {
  if (!probe.target.read_only) return {Level::ok, "transactions", "may write", ""};
  return {Level::problem, "transactions",
          fmt::format("are read-only: default_transaction_read_only is on for \"{}\"", probe.role),
          fmt::format("ALTER ROLE {} SET default_transaction_read_only = off, or add "
                      "options=-cdefault_transaction_read_only%3Doff to the URL",
                      quoted_identifier(probe.role))};
}

Finding schema(const ServerProbe& probe) {
  const TargetProbe& target = probe.target;
  if (target.schema.empty()) {
    return {Level::problem, "schema",
            fmt::format("there is none to make a table in: search_path of \"{}\" is '{}'", probe.role,
                        target.search_path),
            fmt::format("add schema=public to the URL, or ALTER ROLE {} SET search_path = public",
                        quoted_identifier(probe.role))};
  }
  if (target.may_create_in_schema)
    return {Level::ok, "schema", fmt::format("\"{}\" takes the table", target.schema), ""};
  return {Level::problem, "schema",
          fmt::format("\"{}\" may make no table in \"{}\"", probe.role, target.schema),
          fmt::format(
              "GRANT CREATE ON SCHEMA {} TO {} (in the profiling database), or add schema=NAME to the URL",
              quoted_identifier(target.schema), quoted_identifier(probe.role))};
}

Finding server(const ServerProbe& probe) {
  return {Level::problem, "server", "is a standby, which takes no writes",
          fmt::format("name its primary{} in database.url or DATABASE_URL",
                      probe.primary.empty() ? "" : fmt::format(" ({})", probe.primary))};
}

/// Rows hold any Unicode text. SQL_ASCII takes bytes as they come, so that is enough; all others convert.
Finding encoding(const ServerProbe& probe, const config::Database& settings) {
  const std::string& is = probe.target.encoding;
  const bool made = !probe.target.exists || settings.copy_schema_from || made_anew_for_encoding(probe);
  if (made || is == kOurEncoding) return {Level::ok, "encoding", "UTF8", ""};
  if (is == "SQL_ASCII") return {Level::ok, "encoding", "SQL_ASCII, which takes UTF8 byte by byte", ""};
  const std::string name = quoted_identifier(settings.profiling_database);
  return {Level::problem, "encoding",
          fmt::format("of {} is {}, which cannot hold every text that walstorm writes", name, is),
          probe.may_create_databases
              ? fmt::format("DROP DATABASE {}: the run makes it in UTF8", name)
              : fmt::format("DROP DATABASE {}; {}", name,
                            create_database_sql(settings.profiling_database, probe.role))};
}

/// A connection asks for a database by the bytes of its name, which the server stores in the encoding of the
/// database where it was created.
std::optional<Finding> name_in_other_encoding(const ServerProbe& probe, const std::string& name) {
  const bool ascii =
      std::all_of(name.begin(), name.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
  const std::string& home = probe.home_encoding;
  if (ascii || home.empty() || home == kOurEncoding || home == "SQL_ASCII") return std::nullopt;
  return Finding{Level::problem, "database name",
                 fmt::format("\"{}\" is not ASCII, and would be stored in {}, where no UTF8 client finds it",
                             name, home),
                 "name another one with database.profilingDatabase, or a UTF8 database in database.url"};
}

Finding slot(const ServerProbe& probe, const config::Config& config) {
  const std::string& name = config.consumer.slot_name;
  if (!probe.slot) return {Level::ok, "slot", fmt::format("\"{}\" is free", name), ""};
  if (probe.slot->database != config.database.profiling_database) {
    return {Level::problem, "slot",
            fmt::format("\"{}\" belongs to {}", name,
                        probe.slot->database.empty() ? "physical replication"
                                                     : fmt::format("database \"{}\"", probe.slot->database)),
            "choose another name with consumer.slotName"};
  }
  if (probe.slot->active_pid == 0) {
    return {Level::note, "slot",
            fmt::format("\"{}\" was left by an earlier run; the next one drops it", name), ""};
  }
  return {Level::warning, "slot",
          fmt::format("\"{}\" is being read by process {}: by a run under way, or by a reader that was left",
                      name, probe.slot->active_pid),
          "wait for that run's end; a reader without a run is ended by the next one"};
}

/// "3 of 10 in use, 1 needed"
Finding room(const char* what, std::int64_t used, std::int64_t max, std::int64_t needed,
             const std::string& todo) {
  const std::string says = fmt::format("{} of {} in use, {} needed", used, max, needed);
  if (max - used >= needed) return {Level::ok, what, says, ""};
  return {Level::problem, what, says, todo};
}

Finding slot_wal_keep(const ServerProbe& probe, std::uint64_t wal_bytes) {
  const char* const what = "max_slot_wal_keep_size";
  if (probe.slot_wal_keep_mb < 0)
    return {Level::ok, what, "no limit: the slot keeps all WAL that it needs", ""};
  const std::string limit =
      fmt::format("the slot is lost when the consumer is behind by {} MB", probe.slot_wal_keep_mb);
  if (static_cast<std::uint64_t>(probe.slot_wal_keep_mb) << 20U >= wal_bytes)
    return {Level::ok, what, limit, ""};
  return {Level::warning, what, fmt::format("{}, and the plan writes up to {} MB", limit, wal_bytes >> 20U),
          "raise it (-1: no limit), or shorten the phases"};
}

Finding wal_sender_timeout(const ServerProbe& probe) {
  const char* const what = "wal_sender_timeout";
  if (probe.wal_sender_timeout_ms == 0) return {Level::ok, what, "is off", ""};
  const std::string says = fmt::format("is {} s", static_cast<double>(probe.wal_sender_timeout_ms) / 1000);
  if (probe.wal_sender_timeout_ms >= kWalSenderTimeoutMsMin) return {Level::ok, what, says, ""};
  return {Level::warning, what, says + ": a pause of the consumer's machine may end the stream",
          "set it to 60s, PostgreSQL's default"};
}

Finding idle_slot_timeout(std::int64_t timeout_sec) {
  const char* const what = "idle_replication_slot_timeout";
  if (timeout_sec == 0) return {Level::ok, what, "is off", ""};
  const std::string says = fmt::format("is {} s", timeout_sec);
  if (timeout_sec >= kIdleSlotTimeoutSecMin) return {Level::ok, what, says, ""};
  return {Level::warning, what, says + ": a consumer that has to reconnect may find its slot invalidated",
          "set it to 0 (off), or to minutes"};
}

/// Of the server's, the role's and the database's limits the latter two where they are set. They count the
/// consumer's walsender, the server's does not.
void add_connections(const ServerProbe& probe, const config::Config& config, std::vector<Finding>& findings) {
  const std::int64_t needed =
      std::int64_t{config.producer.connections} * config.producer.worker_count + kOwnConnections;
  findings.push_back(room("connections", probe.connections_used, probe.connections_max, needed,
                          "lower producer.connections, or raise max_connections and restart PostgreSQL"));
  if (probe.role_connections_max >= 0) {
    findings.push_back(room("role's limit", probe.role_connections_used, probe.role_connections_max,
                            needed + 1,
                            fmt::format("lower producer.connections, or ALTER ROLE {} CONNECTION LIMIT -1",
                                        quoted_identifier(probe.role))));
  }
  if (probe.target.connections_max >= 0) {
    findings.push_back(
        room("database's limit", probe.target.connections_used, probe.target.connections_max, needed + 1,
             fmt::format("lower producer.connections, or ALTER DATABASE {} CONNECTION LIMIT -1",
                         quoted_identifier(config.database.profiling_database))));
  }
}

/// A slot of the run's name, and its reader, are counted in use, and go before the run's own come.
void add_replication_room(const ServerProbe& probe, std::vector<Finding>& findings) {
  const bool left = probe.slot.has_value();
  findings.push_back(room("replication slots", probe.slots_used - (left ? 1 : 0), probe.slots_max, 1,
                          "drop a slot that nobody needs (SELECT * FROM pg_replication_slots), or raise "
                          "max_replication_slots and restart PostgreSQL"));
  findings.push_back(room("walsenders", probe.senders_used - (left && probe.slot->active_pid != 0 ? 1 : 0),
                          probe.senders_max, 1,
                          "end one that nobody needs (SELECT * FROM pg_stat_replication), or raise "
                          "max_wal_senders and restart PostgreSQL"));
}

/// A commit that waits for a standby which is not there waits for ever (PostgreSQL, "Synchronous
/// Replication").
bool commits_wait_for_nobody(const ServerProbe& probe) {
  const bool waits = probe.synchronous_commit != "off" && probe.synchronous_commit != "local" &&
                     probe.synchronous_standby_names.find_first_not_of(' ') != std::string::npos;
  return waits && probe.synchronous_standbys == 0;
}

Finding synchronous_standbys(const ServerProbe& probe) {
  return {
      Level::problem, "synchronous_standby_names",
      fmt::format("is '{}', and none that it names is connected: every commit would wait for it",
                  probe.synchronous_standby_names),
      fmt::format("start the standby, or take it out of there and SELECT pg_reload_conf(), or ALTER ROLE {} "
                  "SET synchronous_commit = local",
                  quoted_identifier(probe.role))};
}

}  // namespace

bool made_anew_for_encoding(const ServerProbe& probe) {
  return probe.target.marked && probe.target.owned && probe.may_create_databases &&
         probe.target.encoding != kOurEncoding;
}

std::vector<Finding> judge_server(const ServerProbe& probe, const config::Config& config,
                                  std::uint64_t wal_bytes) {
  if (probe.between == Between::pooler) return {{Level::problem, "connection", pooler_says(), pooler_todo()}};
  std::vector<Finding> findings;
  if (probe.between == Between::proxy) {
    findings.push_back({Level::note, "connection",
                        "leads through a proxy, which gives each session a backend of its own", ""});
  }
  findings.push_back(version(probe));
  if (probe.standby) {
    findings.push_back(server(probe));  // all else would be said of the wrong server
    return findings;
  }
  const std::string& name = config.database.profiling_database;
  findings.insert(findings.end(),
                  {protocol(probe, config.consumer), wal_level(probe), role(probe),
                   database(probe, config.database), encoding(probe, config.database), access(probe, name)});
  if (auto other = name_in_other_encoding(probe, name)) findings.push_back(std::move(*other));
  // Said by the role's or the database's finding already.
  const auto& refused = probe.target.replication_refused;
  const bool said =
      refused &&
      (!probe.may_replicate || (probe.target.refused && probe.target.refused->sqlstate == refused->sqlstate));
  if (!said) findings.push_back(replication(probe, name));
  findings.insert(findings.end(), {transactions(probe), schema(probe), slot(probe, config)});
  add_replication_room(probe, findings);
  add_connections(probe, config, findings);
  findings.push_back(slot_wal_keep(probe, wal_bytes));
  findings.push_back(wal_sender_timeout(probe));
  if (commits_wait_for_nobody(probe)) findings.push_back(synchronous_standbys(probe));
  if (probe.idle_slot_timeout_sec) findings.push_back(idle_slot_timeout(*probe.idle_slot_timeout_sec));
  return findings;
}

void require_no_problem(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    if (finding.level != Level::problem) continue;
    text += fmt::format("{}{} {}: {}", text.empty() ? "" : "\n", finding.what, finding.says, finding.todo);
  }
  if (!text.empty()) throw wire::Error(wire::ErrorKind::unavailable, text);
}

}  // namespace walstorm::postgres
