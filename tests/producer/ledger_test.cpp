#include "producer/ledger.h"

#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace walstorm::producer {
namespace {

constexpr std::uint64_t kSeed = 42;

/// What a table would hold if it were told every committed batch.
class Table {
 public:
  void apply(const Batch& batch) {
    for (const RowVersion row : batch.inserts) EXPECT_TRUE(rows_.emplace(row.id.value, row.version).second);
    for (const RowVersion row : batch.updates) {
      ASSERT_TRUE(rows_.contains(row.id.value));
      EXPECT_EQ(rows_[row.id.value] + 1, row.version);
      rows_[row.id.value] = row.version;
    }
    for (const RowVersion row : batch.deletes) {
      ASSERT_TRUE(rows_.contains(row.id.value));
      EXPECT_EQ(rows_[row.id.value], row.version);
      rows_.erase(row.id.value);
    }
  }

  [[nodiscard]] wire::RowTally tally() const {
    wire::RowTally tally;
    for (const auto& [id, version] : rows_) tally.add(row_hash(kSeed, {{id}, version}));
    return tally;
  }

  [[nodiscard]] const std::map<std::uint64_t, std::uint32_t>& rows() const { return rows_; }

 private:
  std::map<std::uint64_t, std::uint32_t> rows_;
};

TEST(Ledger, ExpectsTheRowsThatATableWouldHold) {
  Ledger ledger(kSeed, 3, {0.6, 0.15}, 500);
  Table table;
  wire::ChangeTally phase;
  for (int i = 0; i < 400; ++i) {
    table.apply(ledger.stage(37));
    ledger.commit(phase);
  }
  EXPECT_EQ(ledger.expected(), table.tally());
  EXPECT_EQ(phase.records(), 400U * 37);
  EXPECT_EQ(phase.inserts - phase.deletes, table.rows().size());
}

TEST(Ledger, KeepsTheSharesExactOverItsLife) {
  Ledger ledger(kSeed, 0, {0.8, 0.1}, 1'000'000);
  wire::ChangeTally warm, phase;
  (void)ledger.stage(1000);
  ledger.commit(warm);
  for (int i = 0; i < 9000; ++i) {
    (void)ledger.stage(11);  // shares of 11 records are no whole numbers
    ledger.commit(phase);
  }
  EXPECT_EQ(phase.deletes, 9900U);
  EXPECT_EQ(phase.updates, 17'820U);
  EXPECT_EQ(phase.inserts, 71'280U);
}

TEST(Ledger, ReachesTheSharesWithSingleRecordBatches) {
  Ledger ledger(kSeed, 0, {0.5, 0.2}, 1'000'000);
  wire::ChangeTally phase;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(ledger.stage(1).records(), 1U);
    ledger.commit(phase);
  }
  EXPECT_NEAR(static_cast<double>(phase.deletes), 2000, 2);
  EXPECT_NEAR(static_cast<double>(phase.inserts), 4000, 2);
}

TEST(Ledger, TurnsChangesWithoutALiveRowIntoInserts) {
  Ledger ledger(kSeed, 0, {0.8, 0}, 1000);
  const Batch& first = ledger.stage(100);
  EXPECT_EQ(first.inserts.size(), 100U);
  EXPECT_EQ(first.became_inserts, 20U);
  wire::ChangeTally phase;
  ledger.commit(phase);
  EXPECT_EQ(ledger.stage(100).updates.size(), 20U);
}

TEST(Ledger, NeverChangesARowTwiceInABatch) {
  Ledger ledger(kSeed, 0, {0.2, 0.3}, 40);
  wire::ChangeTally phase;
  for (int i = 0; i < 200; ++i) {
    const Batch& batch = ledger.stage(50);
    std::set<std::uint64_t> ids;
    for (const auto* rows : {&batch.inserts, &batch.updates, &batch.deletes}) {
      for (const RowVersion row : *rows) EXPECT_TRUE(ids.insert(row.id.value).second);
    }
    EXPECT_EQ(ids.size(), 50U);
    ledger.commit(phase);
  }
}

TEST(Ledger, ForgetsADiscardedBatch) {
  Ledger ledger(kSeed, 0, {0.5, 0.2}, 1000);
  Table table;
  wire::ChangeTally phase;
  for (int i = 0; i < 300; ++i) {
    const Batch& batch = ledger.stage(20);
    if (i % 3 == 1) {
      ledger.discard();
    } else {
      table.apply(batch);
      ledger.commit(phase);
    }
  }
  EXPECT_EQ(ledger.expected(), table.tally());
  EXPECT_EQ(phase.records(), 200U * 20);
}

TEST(Ledger, StagesTheSameBatchesFromTheSameSeed) {
  Ledger one(kSeed, 1, {0.5, 0.2}, 100);
  Ledger other(kSeed, 1, {0.5, 0.2}, 100);
  wire::ChangeTally one_tally, other_tally;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(one.stage(20).updates, other.stage(20).updates);
    one.commit(one_tally);
    other.commit(other_tally);
  }
  EXPECT_EQ(one_tally, other_tally);
}

TEST(Ledger, PicksUpdatesUniformlyAmongLiveRows) {
  Ledger ledger(kSeed, 0, {0, 0}, 100);
  wire::ChangeTally phase;
  (void)ledger.stage(100);  // nothing is live: all become inserts
  ledger.commit(phase);
  std::map<std::uint64_t, int> picks;
  for (int i = 0; i < 10'000; ++i) {
    for (const RowVersion row : ledger.stage(10).updates) ++picks[row.id.value];
    ledger.commit(phase);
  }
  ASSERT_EQ(picks.size(), 100U);
  for (const auto& [id, count] : picks) EXPECT_NEAR(count, 1000, 150) << "row " << id;  // 5 sigma
}

TEST(Ledger, BoundsWhatItRemembersAndStillKnowsAllOfIt) {
  Ledger ledger(kSeed, 0, {0.7, 0.05}, 50);
  Table table;
  wire::ChangeTally phase;
  for (int i = 0; i < 500; ++i) {
    table.apply(ledger.stage(20));
    ledger.commit(phase);
  }
  const Candidates remembered = ledger.remembered();
  const Candidates frozen = ledger.frozen();
  EXPECT_LE(remembered.rows.size(), 50U);
  EXPECT_EQ(frozen.rows.size(), Ledger::kFrozenSampleMax);
  EXPECT_EQ(remembered.population + frozen.population, table.rows().size());
  for (const auto& group : {remembered, frozen}) {
    for (const RowVersion row : group.rows) {
      const auto in_table = table.rows().find(row.id.value);
      ASSERT_NE(in_table, table.rows().end());
      EXPECT_EQ(in_table->second, row.version);
    }
  }
}

TEST(Ledger, WithoutRoomToRememberOnlyInserts) {
  Ledger ledger(kSeed, 0, {0.5, 0.1}, 0);
  wire::ChangeTally phase;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ledger.stage(100).inserts.size(), 100U);
    ledger.commit(phase);
  }
  EXPECT_EQ(ledger.expected().rows, 1000U);
  EXPECT_EQ(ledger.frozen().population, 1000U);
}

TEST(RowHash, DiffersForSeedsRowsAndVersions) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (std::uint32_t slot = 0; slot < 10; ++slot) {
      for (std::uint64_t sequence = 0; sequence < 50; ++sequence) {
        for (std::uint32_t version = 0; version < 10; ++version) {
          hashes.insert(row_hash(seed, {RowId::of(slot, sequence), version}));
        }
      }
    }
  }
  EXPECT_EQ(hashes.size(), 50'000U);
}

TEST(Ledger, StagesInsertsAloneWithoutATraceInTheShares) {
  Ledger ledger(1, 0, {0, 0}, 100);
  wire::ChangeTally preload;
  EXPECT_EQ(ledger.stage_inserts(50).inserts.size(), 50U);
  ledger.commit(preload);
  EXPECT_EQ(preload.inserts, 50U);
  wire::ChangeTally phase;
  EXPECT_EQ(ledger.stage(20).updates.size(), 20U) << "updates alone were asked for, and now there are rows";
  ledger.commit(phase);
  EXPECT_EQ(phase.updates, 20U);
  EXPECT_EQ(ledger.expected().rows, 50U);
}

}  // namespace
}  // namespace walstorm::producer
