#include "orchestrator/measure/ledger/ledger.h"

#include <algorithm>
#include <fmt/format.h>

namespace walstorm::measure {
namespace {

using wire::ChangeTally;

/// A shorter silence says nothing of a sink.
constexpr double kQuietSec = 1;

/// Changes in `left` beyond those in `right`, by kind.
std::uint64_t beyond(const ChangeTally& left, const ChangeTally& right) {
  const auto excess = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; };
  return excess(left.inserts, right.inserts) + excess(left.updates, right.updates) +
         excess(left.deletes, right.deletes);
}

bool same_hashes(const ChangeTally& left, const ChangeTally& right) {
  return left.hash_xor == right.hash_xor && left.hash_sum == right.hash_sum;
}

/// Whether `later` contradicts `earlier`: drained they must be equal; before that, only an excess is wrong.
bool contradicts(const std::optional<ChangeTally>& earlier, const std::optional<ChangeTally>& later,
                 bool drained) {
  if (!earlier || !later) return false;
  return drained ? *earlier != *later : beyond(*later, *earlier) > 0;
}

std::optional<std::uint64_t> records_of(const std::optional<ChangeTally>& tally) {
  return tally ? std::optional(tally->records()) : std::nullopt;
}

std::optional<std::uint64_t> rows_of(const std::optional<wire::RowTally>& tally) {
  return tally ? std::optional(tally->rows) : std::nullopt;
}

}  // namespace

ChangeLedger settle_changes(const ChangeSides& sides) {
  ChangeLedger ledger;
  ledger.produced = records_of(sides.produced);
  ledger.received = records_of(sides.received);
  ledger.acknowledged = records_of(sides.acknowledged);
  ledger.replayed = sides.replayed;
  if (sides.produced && sides.acknowledged) {
    const std::uint64_t absent = beyond(*sides.produced, *sides.acknowledged);
    ledger.duplicated = beyond(*sides.acknowledged, *sides.produced);
    ledger.in_transit = sides.drained ? 0 : absent;
    if (sides.drained) ledger.missing = absent;
  }
  if (sides.drained && sides.produced && sides.received && sides.acknowledged) {
    ledger.checksum_matches =
        same_hashes(*sides.produced, *sides.received) && same_hashes(*sides.received, *sides.acknowledged);
  }
  if (contradicts(sides.produced, sides.received, sides.drained)) {
    ledger.broken_at = "stream";
  } else if (contradicts(sides.received, sides.acknowledged, sides.drained) ||
             contradicts(sides.produced, sides.acknowledged, sides.drained)) {
    ledger.broken_at = "sink";
  }
  return ledger;
}

RowLedger settle_rows(const RowSides& sides) {
  RowLedger ledger;
  ledger.expected = rows_of(sides.expected);
  ledger.postgres = rows_of(sides.postgres);
  ledger.landed = rows_of(sides.landed);
  ledger.in_transit = sides.in_transit;
  const auto compare = [&ledger](const auto& earlier, const auto& later, const char* where) {
    if (!earlier || !later) return;
    const bool same_sums = earlier->hash_xor == later->hash_xor && earlier->hash_sum == later->hash_sum;
    ledger.checksum_matches = ledger.checksum_matches.value_or(true) && same_sums;
    if (*earlier != *later && ledger.broken_at.empty()) ledger.broken_at = where;
  };
  compare(sides.expected, sides.postgres, "postgres");
  const auto& before_sink = sides.postgres ? sides.postgres : sides.expected;
  if (sides.drained) {
    compare(before_sink, sides.landed, "sink");
  } else if (sides.landed && before_sink != sides.landed && ledger.checksum_matches == true) {
    ledger.checksum_matches.reset();
  }
  return ledger;
}

std::string why_not_landing(const PhaseReport& last) {
  const DrainReport& drain = last.drain;
  if (drain.completed != false || !drain.duration_sec || !drain.quiet_sec) return {};
  const double slow_flush_sec = last.consumer.flush_ms.max.value_or(0) / 1000;
  const double quiet_sec_max = std::max({kQuietSec, *drain.duration_sec / 2, 2 * slow_flush_sec});
  if (*drain.quiet_sec < quiet_sec_max) return {};
  std::string why = fmt::format(
      "the sink took nothing any more: when the drain of phase \"{}\" was given up after {:.1f} s, its last "
      "acknowledgement was {:.1f} s old and {} were not acknowledged",
      last.name, *drain.duration_sec, *drain.quiet_sec,
      last.ledger.in_transit ? fmt::format("{} records", *last.ledger.in_transit) : "records");
  if (!last.consumer.flush_error_last.empty()) {
    why += "; its last refusal: " + last.consumer.flush_error_last;
  }
  return why + ". See to the sink; one that only needs longer gets it by drain.timeoutSec";
}

bool is_clean(const ChangeLedger& ledger) {
  return ledger.broken_at.empty();
}

bool is_clean(const RowLedger& ledger) {
  return ledger.broken_at.empty();
}

bool is_clean(const ContentLedger& ledger) {
  const auto all_match = [&](const std::optional<std::uint64_t>& matches) {
    return !ledger.sampled || !matches || *matches == *ledger.sampled;
  };
  return all_match(ledger.postgres_matches) && all_match(ledger.landed_matches);
}

bool is_clean(const RunReport& report) {
  return is_clean(report.changes) && is_clean(report.rows) && is_clean(report.content) &&
         std::all_of(report.phases.begin(), report.phases.end(),
                     [](const PhaseReport& phase) { return is_clean(phase.ledger); });
}

}  // namespace walstorm::measure
