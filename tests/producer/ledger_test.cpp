#include "producer/rows/ledger.h"

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
    const Batch batch = ledger.stage(37);
    table.apply(batch);
    ledger.commit(batch, phase);
  }
  EXPECT_EQ(ledger.expected(), table.tally());
  EXPECT_EQ(phase.records(), 400U * 37);
  EXPECT_EQ(phase.inserts - phase.deletes, table.rows().size());
}

TEST(Ledger, KeepsTheSharesExactOverItsLife) {
  Ledger ledger(kSeed, 0, {0.8, 0.1}, 1'000'000);
  wire::ChangeTally warm, phase;
  ledger.commit(ledger.stage(1000), warm);
  for (int i = 0; i < 9000; ++i) {
    ledger.commit(ledger.stage(11), phase);  // shares of 11 records are no whole numbers
  }
  EXPECT_EQ(phase.deletes, 9900U);
  EXPECT_EQ(phase.updates, 17'820U);
  EXPECT_EQ(phase.inserts, 71'280U);
}

TEST(Ledger, ReachesTheSharesWithSingleRecordBatches) {
  Ledger ledger(kSeed, 0, {0.5, 0.2}, 1'000'000);
  wire::ChangeTally phase;
  for (int i = 0; i < 10'000; ++i) {
    const Batch batch = ledger.stage(1);
    EXPECT_EQ(batch.records(), 1U);
    ledger.commit(batch, phase);
  }
  EXPECT_NEAR(static_cast<double>(phase.deletes), 2000, 2);
  EXPECT_NEAR(static_cast<double>(phase.inserts), 4000, 2);
}

TEST(Ledger, TurnsChangesWithoutALiveRowIntoInserts) {
  Ledger ledger(kSeed, 0, {0.8, 0}, 1000);
  const Batch first = ledger.stage(100);
  EXPECT_EQ(first.inserts.size(), 100U);
  EXPECT_EQ(first.became_inserts, 20U);
  wire::ChangeTally phase;
  ledger.commit(first, phase);
  EXPECT_EQ(ledger.stage(100).updates.size(), 20U);
}

TEST(Ledger, NeverChangesARowTwiceInABatch) {
  Ledger ledger(kSeed, 0, {0.2, 0.3}, 40);
  wire::ChangeTally phase;
  for (int i = 0; i < 200; ++i) {
    const Batch batch = ledger.stage(50);
    std::set<std::uint64_t> ids;
    for (const auto* rows : {&batch.inserts, &batch.updates, &batch.deletes}) {
      for (const RowVersion row : *rows) EXPECT_TRUE(ids.insert(row.id.value).second);
    }
    EXPECT_EQ(ids.size(), 50U);
    ledger.commit(batch, phase);
  }
}

TEST(Ledger, ForgetsABatchThatIsDropped) {
  Ledger ledger(kSeed, 0, {0.5, 0.2}, 1000);
  Table table;
  wire::ChangeTally phase;
  for (int i = 0; i < 300; ++i) {
    const Batch batch = ledger.stage(20);
    if (i % 3 == 1) continue;
    table.apply(batch);
    ledger.commit(batch, phase);
  }
  EXPECT_EQ(ledger.expected(), table.tally());
  EXPECT_EQ(phase.records(), 200U * 20);
}

TEST(Ledger, MayHaveSeveralBatchesOfInsertsUnderWay) {
  Ledger ledger(kSeed, 0, {1, 0}, 50);
  EXPECT_TRUE(ledger.only_inserts());
  EXPECT_FALSE(Ledger(kSeed, 0, {1, 0.01}, 50).only_inserts());
  EXPECT_FALSE(Ledger(kSeed, 0, {0.99, 0}, 50).only_inserts());
  Table table;
  wire::ChangeTally phase;
  const Batch stuck = ledger.stage(20);
  const Batch dropped = ledger.stage(20);
  for (int i = 0; i < 10; ++i) {
    const Batch batch = ledger.stage(20);
    table.apply(batch);
    ledger.commit(batch, phase);
  }
  EXPECT_EQ(ledger.expected(), table.tally());
  table.apply(stuck);
  ledger.commit(stuck, phase);
  EXPECT_EQ(ledger.expected(), table.tally());
  EXPECT_EQ(phase.inserts, 220U);
  EXPECT_EQ(dropped.inserts.front().id, RowId::of(0, 20)) << "in the order in which they were staged";
}

TEST(Ledger, StagesTheSameBatchesFromTheSameSeed) {
  Ledger one(kSeed, 1, {0.5, 0.2}, 100);
  Ledger other(kSeed, 1, {0.5, 0.2}, 100);
  wire::ChangeTally one_tally, other_tally;
  for (int i = 0; i < 100; ++i) {
    const Batch batch = one.stage(20);
    const Batch same = other.stage(20);
    EXPECT_EQ(batch.updates, same.updates);
    one.commit(batch, one_tally);
    other.commit(same, other_tally);
  }
  EXPECT_EQ(one_tally, other_tally);
}

TEST(Ledger, PicksUpdatesUniformlyAmongLiveRows) {
  Ledger ledger(kSeed, 0, {0, 0}, 100);
  wire::ChangeTally phase;
  ledger.commit(ledger.stage(100), phase);  // nothing is live: all become inserts
  std::map<std::uint64_t, int> picks;
  for (int i = 0; i < 10'000; ++i) {
    const Batch batch = ledger.stage(10);
    for (const RowVersion row : batch.updates) ++picks[row.id.value];
    ledger.commit(batch, phase);
  }
  ASSERT_EQ(picks.size(), 100U);
  for (const auto& [id, count] : picks) EXPECT_NEAR(count, 1000, 150) << "row " << id;  // 5 sigma
}

TEST(Ledger, BoundsWhatItRemembersAndStillKnowsAllOfIt) {
  Ledger ledger(kSeed, 0, {0.7, 0.05}, 50);
  Table table;
  wire::ChangeTally phase;
  for (int i = 0; i < 500; ++i) {
    const Batch batch = ledger.stage(20);
    table.apply(batch);
    ledger.commit(batch, phase);
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
    const Batch batch = ledger.stage(100);
    EXPECT_EQ(batch.inserts.size(), 100U);
    ledger.commit(batch, phase);
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
  ledger.commit(ledger.stage_inserts(50), preload);
  EXPECT_EQ(preload.inserts, 50U);
  wire::ChangeTally phase;
  const Batch changes = ledger.stage(20);
  EXPECT_EQ(changes.updates.size(), 20U) << "updates alone were asked for, and now there are rows";
  ledger.commit(changes, phase);
  EXPECT_EQ(phase.updates, 20U);
  EXPECT_EQ(ledger.expected().rows, 50U);
}

}  // namespace
}  // namespace walstorm::producer
