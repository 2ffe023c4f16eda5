// Which updates make another row in the sink, whose key is more than PostgreSQL's.

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "block_reader.h"
#include "consumer/encode/block_form.h"
#include "consumer/stream/change_intake.h"
#include "pgoutput_bytes.h"

namespace walstorm::consumer {
namespace {

using test::OptionalTexts;
using Strings = std::vector<std::string>;

constexpr std::uint32_t kRelation = 7;

/// The table's columns, and the row before each update.
const std::vector<std::pair<std::string_view, std::uint32_t>> kColumns{
    {"id", 25},          {"status", 25},  {"organizationId", 25}, {"projectId", 25}, {"environmentId", 25},
    {"createdAt", 1184}, {"row_hash", 20}};
const OptionalTexts kBefore{"a", "PENDING", "org", "project", "environment", "2026-01-31 12:00:00.123+00",
                            "1"};

struct Rig {
  Rig() {
    feed(test::begin(1, 1));
    feed(test::relation_of(kRelation, kColumns));
  }

  void feed(const std::string& bytes) { intake.on_wal({wire::Lsn{50}, {}, bytes}); }

  /// What an update of `before` to `after` lands.
  test::LandedBlock update(char old_kind, const OptionalTexts& before, const OptionalTexts& after) {
    feed(test::update(kRelation, old_kind, before, after));
    batcher.cut();
    std::string bytes;
    cut.at(0)->block->serialize(bytes);
    return test::read_native(bytes);
  }

  BatchPool pool{1U << 20U, [] { return make_block({}); }};
  LsnTracker tracker{wire::Lsn{1}};
  PhaseBook book;
  std::vector<std::unique_ptr<Batch>> cut;
  Batcher batcher{{1000, 100'000}, pool, tracker, [this](std::unique_ptr<Batch> batch) {
                    cut.push_back(std::move(batch));
                  }};
  ChangeIntake intake{"run-1", 1U << 20U, book, tracker, batcher};
};

class SortingKey : public testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(Columns, SortingKey,
                         testing::Values("organizationId", "projectId", "environmentId", "createdAt", "id"),
                         [](const auto& column) { return std::string(column.param); });

TEST_P(SortingKey, AnUpdateOfThisColumnDeletesTheRowBefore) {
  OptionalTexts after = kBefore;
  after[6] = "2";
  std::size_t changed = 0;
  while (kColumns[changed].first != GetParam()) ++changed;
  after[changed] = GetParam() == "createdAt" ? "2026-02-01 00:00:00+00" : "other";
  Rig rig;
  auto landed = rig.update('O', kBefore, after);
  ASSERT_EQ(landed["_is_deleted"].values, (Strings{"0", "1"}));
  EXPECT_EQ(landed["_version"].values, (Strings{"50", "50"}));
  EXPECT_EQ(landed["row_hash"].values, (Strings{"2", "1"}));
  // Behind the tombstone stands the old row, with all of its key.
  EXPECT_EQ(landed["id"].values[1], "a");
  EXPECT_EQ(landed["organization_id"].values[1], "org");
  EXPECT_EQ(landed["project_id"].values[1], "project");
  EXPECT_EQ(landed["environment_id"].values[1], "environment");
  EXPECT_EQ(landed["created_at"].values[1], "1769860800123");
  EXPECT_EQ(rig.cut[0]->changes.updates, 1U);
  EXPECT_EQ(rig.cut[0]->changes.records(), 1U);
}

TEST_P(SortingKey, UnchangedToastIsNoChange) {
  OptionalTexts after = kBefore;
  std::size_t unchanged = 0;
  while (kColumns[unchanged].first != GetParam()) ++unchanged;
  after[unchanged].reset();
  after[1] = "QUEUED";
  Rig rig;
  auto landed = rig.update('O', kBefore, after);
  EXPECT_EQ(landed["_is_deleted"].values, Strings{"0"});
  EXPECT_EQ(landed["id"].values, Strings{"a"});
  EXPECT_EQ(landed["created_at"].values, Strings{"1769860800123"});
}

TEST(SortingKeyOfATable, AnUpdateOfAnyOtherColumnIsOneRow) {
  OptionalTexts after = kBefore;
  after[1] = "QUEUED";
  after[6] = "2";
  Rig rig;
  EXPECT_EQ(rig.update('O', kBefore, after)["_is_deleted"].values, Strings{"0"});
}

TEST(SortingKeyOfATable, AnOldKeyAloneTellsOfTheKeyAlone) {
  const OptionalTexts key{"a", {}, {}, {}, {}, {}, {}};
  Rig same;
  EXPECT_EQ(same.update('K', key, kBefore)["_is_deleted"].values, Strings{"0"});
  OptionalTexts after = kBefore;
  after[0] = "b";
  Rig other;
  auto landed = other.update('K', key, after);
  ASSERT_EQ(landed["_is_deleted"].values, (Strings{"0", "1"}));
  EXPECT_EQ(landed["id"].values, (Strings{"b", "a"}));
  EXPECT_EQ(landed["created_at"].values[1], "0");
}

}  // namespace
}  // namespace walstorm::consumer
