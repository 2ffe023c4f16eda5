#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/config/config.h"

namespace walstorm::config {

/// What one phase asks of the workers, in the wire's units.
struct PhasePlan {
  std::uint32_t index = 0;  ///< in Config::phases
  std::uint32_t wire_index =
      0;  ///< StartPhase.phase_index: the preload, if there is one, counts as the first
  std::string name;
  bool warmup = false;
  Load load;
  Arrival arrival = Arrival::constant;
  std::uint64_t duration_us = 0;
  std::uint64_t records_max = 0;           ///< 0: the duration alone ends the phase
  std::optional<double> records_expected;  ///< over the whole phase; nullopt where nobody can know ("max")
};

/// A target as people read it: "5,000/s", "1,000-20,000/s", "max".
[[nodiscard]] std::string target_text(const Load& load);

/// What precedes the phases when producer.preloadRows asks for it: as many rows, unthrottled, within a time
/// that only a pipe which hardly moves can exceed. Its drain has the same time again.
[[nodiscard]] Phase preload_phase(const Config& config);

[[nodiscard]] std::vector<PhasePlan> plan_phases(const Config& config);

/// Bytes that the plan will write to PostgreSQL's disk at most, table and WAL together: records x row size,
/// by a rule of thumb (see the constants in phase_plan.cpp), as if neither vacuum nor a checkpoint took any
/// back before the end. An unthrottled phase counts with 50,000 records/s. For the
/// check of the disk. The preload is in it.
[[nodiscard]] std::uint64_t disk_bytes(const Config& config, const std::vector<PhasePlan>& plan);

/// Bytes of the rows that the plan will send to ClickHouse at most, before its compression. Every version of
/// a row is one there, until parts are merged.
[[nodiscard]] std::uint64_t sink_bytes(const Config& config, const std::vector<PhasePlan>& plan);

/// What --dry-run prints: the phases as a table, the totals, the resolved configuration without secrets.
[[nodiscard]] std::string dry_run_text(const Config& config);

}  // namespace walstorm::config
