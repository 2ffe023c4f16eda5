#include "orchestrator/measure/ledger.h"

#include <algorithm>

namespace walstorm::measure {
namespace {

using wire::ChangeTally;

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
  const auto compare = [&ledger](const auto& earlier, const auto& later, const char* where) {
    if (!earlier || !later) return;
    const bool same_sums = earlier->hash_xor == later->hash_xor && earlier->hash_sum == later->hash_sum;
    ledger.checksum_matches = ledger.checksum_matches.value_or(true) && same_sums;
    if (*earlier != *later && ledger.broken_at.empty()) ledger.broken_at = where;
  };
  compare(sides.expected, sides.postgres, "postgres");
  if (sides.drained) compare(sides.postgres ? sides.postgres : sides.expected, sides.landed, "sink");
  return ledger;
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
