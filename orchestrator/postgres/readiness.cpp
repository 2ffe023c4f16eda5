#include "orchestrator/postgres/readiness.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string>

#include "proto/wire/error.h"

namespace walstorm::postgres {
namespace {

using check::Finding;
using check::Level;

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
  return {
      Level::problem, "role", fmt::format("\"{}\" has no right to replicate", probe.role),
      fmt::format("ALTER ROLE \"{0}\" REPLICATION (on RDS: GRANT rds_replication TO \"{0}\")", probe.role)};
}

Finding database(const ServerProbe& probe, const config::Database& settings) {
  const std::string& name = settings.profiling_database;
  Finding finding{Level::problem, "database", "", ""};
  const bool made_anew = settings.copy_schema_from.has_value();
  if (!probe.database_exists || made_anew) {
    finding.says =
        fmt::format("\"{}\" {}", name, probe.database_exists ? "will be made anew" : "will be created");
    finding.level = probe.may_create_databases ? Level::ok : Level::problem;
    if (finding.level == Level::ok && (!probe.database_exists || probe.database_owned)) return finding;
    finding.level = Level::problem;
    finding.says =
        probe.may_create_databases
            ? fmt::format("\"{}\" is there and \"{}\" does not own it", name, probe.role)
            : fmt::format("\"{}\" may create no database, and \"{}\" {}", probe.role, name,
                          made_anew ? "has to be made anew for the copied schema" : "is not there");
    finding.todo =
        probe.may_create_databases
            ? fmt::format("ALTER DATABASE \"{}\" OWNER TO \"{}\"", name, probe.role)
            : fmt::format(
                  "ALTER ROLE \"{0}\" CREATEDB{1}", probe.role,
                  made_anew ? "" : fmt::format(", or CREATE DATABASE \"{}\" OWNER \"{}\"", name, probe.role));
    return finding;
  }
  if (probe.database_owned)
    return {Level::ok, "database", fmt::format("\"{}\" is there; each run empties it", name), ""};
  // Enough privileges without ownership are rare, but possible: the publication needs CREATE on the database.
  finding.level = Level::warning;
  finding.says = fmt::format("\"{}\" is there and \"{}\" does not own it", name, probe.role);
  finding.todo = fmt::format("ALTER DATABASE \"{}\" OWNER TO \"{}\"", name, probe.role);
  return finding;
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
Finding room(const char* what, std::int64_t used, std::int64_t max, std::int64_t needed, const char* todo) {
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

Finding idle_slot_timeout(std::int64_t seconds) {
  const char* const what = "idle_replication_slot_timeout";
  if (seconds == 0) return {Level::ok, what, "is off", ""};
  const std::string says = fmt::format("is {} s", seconds);
  if (seconds >= kIdleSlotTimeoutSecMin) return {Level::ok, what, says, ""};
  return {Level::warning, what, says + ": a consumer that has to reconnect may find its slot invalidated",
          "set it to 0 (off), or to minutes"};
}

/// A commit that waits for a standby which is not there waits for ever (PostgreSQL, "Synchronous
/// Replication").
bool commits_wait_for_nobody(const ServerProbe& probe) {
  const bool waits = probe.synchronous_commit != "off" && probe.synchronous_commit != "local" &&
                     probe.synchronous_standby_names.find_first_not_of(' ') != std::string::npos;
  return waits && probe.synchronous_standbys == 0;
}

Finding synchronous_standbys(const ServerProbe& probe) {
  return {Level::problem, "synchronous_standby_names",
          fmt::format("is '{}', and none that it names is connected: every commit would wait for it",
                      probe.synchronous_standby_names),
          fmt::format(
              "start the standby, or take it out of there and SELECT pg_reload_conf(), or ALTER ROLE \"{}\" "
              "SET synchronous_commit = local",
              probe.role)};
}

}  // namespace

std::vector<Finding> judge_server(const ServerProbe& probe, const config::Config& config,
                                  std::uint64_t wal_bytes) {
  const std::int64_t writers = std::int64_t{config.producer.connections} * config.producer.worker_count;
  const bool slot_is_there = probe.slot.has_value();
  std::vector<Finding> findings{
      version(probe), protocol(probe, config.consumer), wal_level(probe), role(probe),
      database(probe, config.database), slot(probe, config),
      // A slot of that name, and its reader, are counted in use, and go before ours come.
      room("replication slots", probe.slots_used - (slot_is_there ? 1 : 0), probe.slots_max, 1,
           "drop a slot that nobody needs (SELECT * FROM pg_replication_slots), or raise "
           "max_replication_slots and "
           "restart PostgreSQL"),
      room("walsenders", probe.senders_used - (slot_is_there && probe.slot->active_pid != 0 ? 1 : 0),
           probe.senders_max, 1,
           "end one that nobody needs (SELECT * FROM pg_stat_replication), or raise max_wal_senders and "
           "restart "
           "PostgreSQL"),
      room("connections", probe.connections_used, probe.connections_max, writers + kOwnConnections,
           "lower producer.connections, or raise max_connections and restart PostgreSQL"),
      slot_wal_keep(probe, wal_bytes), wal_sender_timeout(probe)};
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
