#include "orchestrator/postgres/sampler.h"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <sstream>
#include <utility>

#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "orchestrator/postgres/server_probe.h"
#include "proto/wire/clock.h"

namespace walstorm::postgres {
namespace {

std::optional<wire::Lsn> lsn_of(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return wire::parse_lsn(field.c_str());
}

std::string text_of(const pqxx::field& field) {
  return field.is_null() ? "" : field.c_str();
}

std::optional<std::uint64_t> count_of(const pqxx::field& field) {
  // safe_wal_size is below 0 once the limit is passed: nothing is safe then.
  if (field.is_null()) return std::nullopt;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, field.as<std::int64_t>()));
}

/// The process, if it is one of a PostgreSQL.
void add_local(std::vector<ServerProcess>& processes, pid_t pid) {
  if (pid == 0 || !process::is_local_postgres(pid)) return;
  if (const auto used = process::read_proc_stat(pid)) processes.push_back({pid, *used});
}

/// `writers`: a line for each, its pid and what it waits for.
void add_writers(ServerSample& sample, const std::string& writers, bool is_local) {
  std::istringstream lines(writers);
  pid_t pid = 0;
  std::string wait;
  while (lines >> pid && std::getline(lines >> std::ws, wait)) {
    ++sample.look.writer_waits[wait];
    if (is_local) add_local(sample.backends, pid);
  }
}

/// One scan of pg_stat_activity serves the walsender's wait and the writers'. A backend between two
/// statements or transactions has nothing to do, whatever it waits for; one that is active and waits for
/// nothing runs. Numbers of a slot's decoded transactions are since the slot was made or its statistics were
/// reset: https://www.postgresql.org/docs/current/monitoring-stats.html
constexpr const char* kSql =
    "SELECT pg_current_wal_lsn() AS head, r.sent_lsn, s.confirmed_flush_lsn, s.wal_status, s.safe_wal_size, "
    "  s.active_pid, r.state, a.walsender_wait, a.writers, "
    "  t.spill_txns, t.spill_bytes, t.stream_txns, t.stream_bytes, pg_backend_pid() AS own_pid "
    "FROM (VALUES (1)) one LEFT JOIN pg_replication_slots s ON s.slot_name = $1 "
    "LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid "
    "LEFT JOIN pg_stat_replication_slots t ON t.slot_name = s.slot_name "
    "LEFT JOIN LATERAL (SELECT "
    "    max(wait) FILTER (WHERE pid = s.active_pid) AS walsender_wait, "
    "    string_agg(pid || ' ' || wait, E'\\n') "
    "      FILTER (WHERE datname = $2 AND starts_with(application_name, $3)) AS writers "
    "  FROM (SELECT pid, datname, application_name, CASE WHEN state LIKE 'idle%' THEN 'idle' "
    "          ELSE coalesce(wait_event_type || ':' || wait_event, 'running') END AS wait "
    "        FROM pg_stat_activity) every) a ON true";

}  // namespace

Sampler::Sampler(Session& session, std::string slot, std::string database, std::string backend_application,
                 OnSample on_sample)
    : session_(session),
      slot_(std::move(slot)),
      database_(std::move(database)),
      backend_application_(std::move(backend_application)),
      on_sample_(std::move(on_sample)) {}

void Sampler::look() {
  if (under_way_) return;
  under_way_ = true;
  auto sample = std::make_shared<ServerSample>();
  session_.submit(
      [sample, locality = locality_, slot = slot_, database = database_,
       application = backend_application_](pqxx::connection& connection) {
        *sample = query(connection, slot, database, application, *locality);
      },
      [this, sample, alive = lifetime_.token()](const std::exception_ptr& error) {
        if (alive.expired()) return;
        under_way_ = false;
        if (!error) {
          on_sample_(*sample);
          failing_ = false;
          return;
        }
        failing_ = true;
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& why) {
          spdlog::debug("no sample of PostgreSQL: {}", why.what());
        }
      });
}

ServerSample Sampler::query(pqxx::connection& connection, const std::string& slot,
                            const std::string& database, const std::string& backend_application,
                            Locality& locality) {
  pqxx::nontransaction transaction(connection);
  const wire::SystemClock clock;
  const std::int64_t asked_us = clock.steady_us();
  const auto row = query_row(transaction, kSql, slot, database, backend_application);
  ServerSample sample;
  sample.at_steady_us = asked_us + (clock.steady_us() - asked_us) / 2;
  sample.head = lsn_of(row["head"]);
  sample.sent = lsn_of(row["sent_lsn"]);
  sample.confirmed = lsn_of(row["confirmed_flush_lsn"]);
  sample.look.wal_status = text_of(row["wal_status"]);
  sample.look.safe_wal_bytes = count_of(row["safe_wal_size"]);
  sample.look.walsender_state = text_of(row["state"]);
  sample.look.walsender_wait = text_of(row["walsender_wait"]);
  if (!row["spill_txns"].is_null()) {
    sample.look.decoded = {.spilled = *count_of(row["spill_txns"]),
                           .spilled_bytes = *count_of(row["spill_bytes"]),
                           .streamed = *count_of(row["stream_txns"]),
                           .streamed_bytes = *count_of(row["stream_bytes"])};
  }
  const auto own_pid = row["own_pid"].as<pid_t>();
  if (locality.backend != own_pid) {
    locality = {own_pid, process::is_local_backend(own_pid, backend_start_unix_us(transaction))};
  }
  add_writers(sample, text_of(row["writers"]), locality.is_local);
  if (!locality.is_local) return sample;
  add_local(sample.walsender, row["active_pid"].as<pid_t>(0));
  add_local(sample.own, own_pid);
  return sample;
}

}  // namespace walstorm::postgres
