#include "consumer/stream/replay_filter.h"

#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace walstorm::consumer {
namespace {

/// Feeds `records` records of the transaction that committed at `commit`; returns which of them are replays.
std::vector<bool> feed(ReplayFilter& filter, std::uint64_t commit, int records) {
  filter.begin(wire::Lsn{commit});
  std::vector<bool> replays;
  for (int i = 0; i < records; ++i) replays.push_back(filter.next_is_replay());
  return replays;
}

TEST(ReplayFilter, PassesWhatComesForTheFirstTime) {
  ReplayFilter filter;
  EXPECT_EQ(feed(filter, 100, 2), std::vector<bool>({false, false}));
  EXPECT_TRUE(filter.commit());
  EXPECT_EQ(feed(filter, 200, 1), std::vector<bool>({false}));
}

TEST(ReplayFilter, KnowsWholeTransactionsAgain) {
  ReplayFilter filter;
  for (const std::uint64_t commit : {100U, 200U}) {
    (void)feed(filter, commit, 3);
    (void)filter.commit();
  }
  filter.connection_lost();
  for (const std::uint64_t commit : {100U, 200U}) {
    EXPECT_EQ(feed(filter, commit, 3), std::vector<bool>({true, true, true}));
    EXPECT_FALSE(filter.commit()) << "counted when it was read first";
  }
  EXPECT_EQ(feed(filter, 300, 1), std::vector<bool>({false}));
  EXPECT_TRUE(filter.commit());
}

TEST(ReplayFilter, OfATransactionThatWasCutOffTheFirstRecordsAreReplays) {
  ReplayFilter filter;
  (void)feed(filter, 100, 2);
  filter.connection_lost();
  EXPECT_EQ(feed(filter, 100, 4), std::vector<bool>({true, true, false, false}));
  EXPECT_EQ(filter.records(), 4U);
  EXPECT_TRUE(filter.commit());
}

TEST(ReplayFilter, CutOffAfterItsLastRecordIsStillToBeCommitted) {
  ReplayFilter filter;
  (void)feed(filter, 100, 2);
  filter.connection_lost();
  EXPECT_EQ(feed(filter, 100, 2), std::vector<bool>({true, true}));
  EXPECT_TRUE(filter.commit()) << "its end is read for the first time";
}

TEST(ReplayFilter, ReplayCutOffEarlierThanTheFirstTimeForgetsNothing) {
  ReplayFilter filter;
  (void)feed(filter, 100, 1);
  (void)filter.commit();
  (void)feed(filter, 200, 3);
  filter.connection_lost();
  (void)feed(filter, 100, 1);  // lost again before transaction 200 comes
  filter.connection_lost();
  (void)feed(filter, 100, 1);
  (void)filter.commit();
  (void)feed(filter, 200, 1);  // and once more within it
  filter.connection_lost();
  EXPECT_EQ(feed(filter, 200, 4), std::vector<bool>({true, true, true, false}));
}

TEST(ReplayFilter, LostBetweenTransactionsCutsNothingOff) {
  ReplayFilter filter;
  (void)feed(filter, 100, 2);
  (void)filter.commit();
  filter.connection_lost();
  filter.connection_lost();
  EXPECT_EQ(feed(filter, 200, 1), std::vector<bool>({false}));
}

TEST(ReplayFilter, WhateverIsLostWhereverEveryRecordPassesOnce) {
  const unsigned seed = 7;
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    ReplayFilter filter;
    std::vector<int> sizes(20);
    for (int& size : sizes) size = static_cast<int>(random() % 6);
    std::vector<int> passed(sizes.size(), 0);
    std::vector<int> commits(sizes.size(), 0);
    std::size_t confirmed = 0;  // the server sends again from here
    for (int connection = 0; connection < 30 && commits.back() == 0; ++connection) {
      const bool last = connection == 29;
      bool lost = false;
      for (std::size_t t = confirmed; t < sizes.size() && !lost; ++t) {
        filter.begin(wire::Lsn{100 * (t + 1)});
        for (int i = 0; i < sizes[t] && !lost; ++i) {
          if (!filter.next_is_replay()) ++passed[t];
          lost = !last && random() % 8 == 0;
        }
        if (lost) break;
        commits[t] += filter.commit() ? 1 : 0;
        if (random() % 4 == 0) confirmed = t + 1;
      }
      filter.connection_lost();
    }
    EXPECT_EQ(passed, sizes) << "seed " << seed << ", round " << round;
    EXPECT_EQ(commits, std::vector<int>(sizes.size(), 1)) << "seed " << seed << ", round " << round;
  }
}

}  // namespace
}  // namespace walstorm::consumer
