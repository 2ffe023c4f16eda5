#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/measure/figures/run_report.h"

namespace walstorm::measure {

/// What a process is said to wait for when it waits for nothing, and when it has nothing to do.
inline constexpr std::string_view kRunning = "running";
inline constexpr std::string_view kIdle = "idle";

/// What the walsender has done with transactions that were open, since its slot's statistics began.
struct DecodedTransactions {
  std::uint64_t spilled = 0, spilled_bytes = 0, streamed = 0, streamed_bytes = 0;
};

/// One look at PostgreSQL's catalog views. Texts are empty where there is no such row.
struct ServerLook {
  std::int64_t at_unix_us = 0;
  std::string wal_status;                       ///< of the slot
  std::optional<std::uint64_t> safe_wal_bytes;  ///< nullopt where nothing limits it
  std::string walsender_state;                  ///< pg_stat_replication.state
  std::string walsender_wait;                   ///< "Type:Event", or kRunning
  std::optional<DecodedTransactions> decoded;
  /// How many writing backends waited for that: "Type:Event", kRunning or kIdle.
  std::map<std::string, unsigned> writer_waits;
};

/// Whether a walsender that waits for this has sent all there is: it waits for WAL, or for anything at all.
/// Versions spell the events differently.
[[nodiscard]] bool is_caught_up_wait(std::string_view walsender_wait);

/// PostgreSQL's own view of a phase.
class ServerFold final {
 public:
  /// Once a second; `loading`: while the load was on.
  void take(const ServerLook& look, bool loading);

  [[nodiscard]] PostgresReport report() const;

  /// What the reader must know of a slot that has lost WAL, or is about to; none else.
  [[nodiscard]] std::vector<std::string> notes() const;

  /// State and wait of the walsender by the newest look since the last call; empty without one.
  void close_second(Second& second);

 private:
  void take_decoded(const DecodedTransactions& now);

  PostgresReport report_;  // but for shares and averages: sums until report()
  std::optional<DecodedTransactions> decoded_;
  std::size_t samples_loading_ = 0;
  std::string state_now_, wait_now_;
};

}  // namespace walstorm::measure
