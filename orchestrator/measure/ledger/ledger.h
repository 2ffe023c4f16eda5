#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "orchestrator/measure/figures/run_report.h"
#include "proto/wire/change_tally.h"

namespace walstorm::measure {

/// The three accounts of the same changes. nullopt where the side ended without giving its final figure:
/// what its last Sample said is a lower bound, and settling on it would invent losses.
struct ChangeSides {
  std::optional<wire::ChangeTally> produced, received, acknowledged;
  std::optional<std::uint64_t> replayed;
  /// Everything up to the marker was acknowledged; otherwise a difference may still be on its way.
  bool drained = false;
};

/// Settles one phase's changes, or the run's. Differences are taken by kind: an update that arrives as an
/// insert is one missing and one duplicated. Undrained, what is not acknowledged is in transit and `missing`
/// is not known; checksums say nothing then either.
[[nodiscard]] ChangeLedger settle_changes(const ChangeSides& sides);

/// The three accounts of the rows that should be live at the end. `landed` is nullopt with the mock sink.
struct RowSides {
  std::optional<wire::RowTally> expected, postgres, landed;
  /// The sink has acknowledged all that there is to land; otherwise rows may still be on their way, `landed`
  /// contradicts nothing, and unless it is the same by chance nothing is known of its checksum.
  bool drained = true;
  /// Changes that the sink has not acknowledged.
  std::optional<std::uint64_t> in_transit = {};
};

[[nodiscard]] RowLedger settle_rows(const RowSides& sides);

/// Why the records that the drain of `last`, the run's last phase, has left must count as lost, although
/// nothing says where: the sink took nothing any more. Empty for one that was still landing (it is behind,
/// and the verdict says so): whose silence was shorter than half of the drain, or than two of its flushes.
[[nodiscard]] std::string why_not_landing(const PhaseReport& last);

/// False when something is known to be missing, doubled or altered. What is not known breaks nothing.
[[nodiscard]] bool is_clean(const ChangeLedger& ledger);
[[nodiscard]] bool is_clean(const RowLedger& ledger);
[[nodiscard]] bool is_clean(const ContentLedger& ledger);
/// All of them, every phase's included.
[[nodiscard]] bool is_clean(const RunReport& report);

}  // namespace walstorm::measure
