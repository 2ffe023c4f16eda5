#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "orchestrator/clickhouse/session.h"
#include "proto/clickhouse/http_client.h"

/// Runs on a user's server say that they are under way, in the table `heartbeats`: ClickHouse has no lock
/// that would.
namespace walstorm::clickhouse {

/// A run that has said nothing for so long is taken for dead.
constexpr std::chrono::seconds kHeartbeatLost{60};

/// Says it for one run, from construction to end(). A beat that fails is logged and no more: the run does not
/// depend on it. Lives on the loop.
class Heartbeat final {
 public:
  /// Waits for the first beat. Throws as Session::execute does.
  Heartbeat(process::EventLoop& loop, const Address& address, const std::string& database,
            std::uint64_t run_number);
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat() = default;

  /// Says that the run has ended; waits some seconds at most. Returns what could not be said; empty: it was.
  [[nodiscard]] std::string end();

 private:
  [[nodiscard]] Statement row(bool ended);
  void beat_later();

  const std::string table_;
  const std::uint64_t run_number_;
  std::uint64_t number_ = 0;  // of beats
  Session session_;           // for what is waited for
  HttpClient client_;         // for the beats between
  boost::asio::steady_timer timer_;
};

/// A run that is under way.
struct LivingRun {
  std::string number;  ///< when it began, in UTC: YYYYMMDDhhmmss and milliseconds
  std::string name, host;
  std::string heard_sec_ago;  ///< by the server's clock
};

/// The runs in `database` that have not ended and were heard of within kHeartbeatLost; of an older walstorm's
/// database none are known.
[[nodiscard]] std::vector<LivingRun> living_runs(Session& session, const std::string& database);

/// `run 20261127175000123 "stress" on host h, last heard of 3 s ago`
[[nodiscard]] std::string to_text(const LivingRun& run);

}  // namespace walstorm::clickhouse
