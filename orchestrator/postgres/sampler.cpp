#include "orchestrator/postgres/sampler.h"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <utility>

#include <pqxx/nontransaction>

#include "orchestrator/postgres/query.h"
#include "proto/wire/clock.h"

namespace walstorm::postgres {
namespace {

std::optional<wire::Lsn> lsn_of(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return wire::parse_lsn(field.c_str());
}

/// Those of `pids`, separated by spaces, that are processes of a PostgreSQL on this machine.
std::vector<ServerProcess> local_processes(const pqxx::field& pids) {
  std::vector<ServerProcess> found;
  std::istringstream list(pids.is_null() ? "" : pids.c_str());
  for (pid_t pid = 0; list >> pid;) {
    if (!process::is_local_postgres(pid)) continue;
    if (const auto used = process::read_proc_stat(pid)) found.push_back({pid, *used});
  }
  return found;
}

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
      [sample, slot = slot_, database = database_, application = backend_application_](
          pqxx::connection& connection) { *sample = query(connection, slot, database, application); },
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
                            const std::string& database, const std::string& backend_application) {
  pqxx::nontransaction transaction(connection);
  const auto found = postgres::query(
      transaction,
      "SELECT pg_current_wal_lsn(), r.sent_lsn, s.confirmed_flush_lsn, s.wal_status, s.active_pid, "
      "  (SELECT string_agg(pid::text, ' ') FROM pg_stat_activity "
      "    WHERE datname = $2 AND starts_with(application_name, $3)) "
      "FROM (VALUES (1)) one LEFT JOIN pg_replication_slots s ON s.slot_name = $1 "
      "LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid",
      slot, database, backend_application);
  const auto& fields = found[0];
  ServerSample sample;
  sample.at_unix_us = wire::SystemClock().unix_us();
  sample.head = lsn_of(fields[0]);
  sample.sent = lsn_of(fields[1]);
  sample.confirmed = lsn_of(fields[2]);
  sample.wal_status = fields[3].is_null() ? "" : fields[3].c_str();
  sample.walsender = local_processes(fields[4]);
  sample.backends = local_processes(fields[5]);
  return sample;
}

}  // namespace walstorm::postgres
