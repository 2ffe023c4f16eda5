#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/measure/fold/server_fold.h"
#include "orchestrator/postgres/session.h"
#include "orchestrator/process/proc_stat.h"
#include "proto/wire/lifetime.h"
#include "proto/wire/lsn.h"

namespace walstorm::postgres {

/// One of the server's processes, by /proc.
struct ServerProcess {
  pid_t pid = 0;
  process::ProcStat used;
};

/// The server at one moment: its side of the LSN ladder, its processes, and what its views say of them.
/// Positions are nullopt when there is no slot or no walsender.
struct ServerSample {
  std::int64_t at_steady_us = 0;       ///< halfway between asking and being answered
  std::optional<wire::Lsn> head;       ///< pg_current_wal_lsn()
  std::optional<wire::Lsn> sent;       ///< pg_stat_replication.sent_lsn
  std::optional<wire::Lsn> confirmed;  ///< pg_replication_slots.confirmed_flush_lsn
  measure::ServerLook look;            ///< its wall clock time is left to who knows one
  /// Empty when the server is not on this machine. `own`: the one that answers the sampler.
  std::vector<ServerProcess> walsender, backends, own;
};

/// Looks at the server on its own session: catalog views only, one query a call, so that the probe stays off
/// what it measures. Lives on the loop; the session's thread runs the query.
class Sampler final {
 public:
  using OnSample = std::function<void(const ServerSample&)>;

  /// `backend_application` is the beginning of application_name of the connections that write. `session` and
  /// what `on_sample` uses must outlive this object.
  Sampler(Session& session, std::string slot, std::string database, std::string backend_application,
          OnSample on_sample);

  /// Starts one look; `on_sample` follows on the loop. Does nothing while the last one is still under way, so
  /// a slow server is asked less often. A look that fails leaves no sample: the figures of that second are
  /// null.
  void look();

  /// Whether the last look failed: the server is gone, or refuses us.
  [[nodiscard]] bool failing() const { return failing_; }

  /// Whether no look is under way.
  [[nodiscard]] bool idle() const { return !under_way_; }

 private:
  /// Whether the server is on this machine, found out once for each backend that serves the session: later a
  /// clock may have been set, and its start would seem another.
  struct Locality {
    pid_t backend = 0;
    bool is_local = false;
  };

  static ServerSample query(pqxx::connection& connection, const std::string& slot,
                            const std::string& database, const std::string& backend_application,
                            Locality& locality);

  Session& session_;
  const std::string slot_;
  const std::string database_;
  const std::string backend_application_;
  OnSample on_sample_;
  // Of the session's thread, where a query may outlive this object.
  std::shared_ptr<Locality> locality_ = std::make_shared<Locality>();
  bool under_way_ = false;
  bool failing_ = false;
  wire::Lifetime lifetime_;
};

}  // namespace walstorm::postgres
